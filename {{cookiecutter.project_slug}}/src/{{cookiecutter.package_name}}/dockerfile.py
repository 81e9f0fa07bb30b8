"""The Dockerfile of an image that serves one model, and nothing else."""

_TEXT = """\
# syntax=docker/dockerfile:1
# Made by `nox -s image`. Build: docker build -t {name}:{version} .
# Behind a proxy that signs for others: docker build --secret id=ca,src=ca.pem .
# Run: docker run --read-only -p 8080:8080 -e SERVING_TOKEN {name}:{version}
ARG BASE=python:{python}-slim
FROM $BASE AS build
COPY requirements.lock /opt/requirements.lock
# Wheels alone, each with its hash; pip itself stays behind in this stage.
RUN --mount=type=secret,id=ca,required=false \\
    if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi; \\
    python -m venv --without-pip /opt/venv \\
    && python -m pip --python /opt/venv/bin/python install --no-cache-dir --no-deps \\
        --only-binary :all: --require-hashes --compile -r /opt/requirements.lock
COPY app /opt/app
RUN /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/app

FROM $BASE
LABEL org.opencontainers.image.title="{name}" \\
      org.opencontainers.image.version="{version}" \\
      org.opencontainers.image.revision="{digest}" \\
      com.amazonaws.sagemaker.capabilities.accept-bind-to-port=false
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/app /opt/app
COPY model /opt/model
COPY served.json sbom.cdx.json signature* /opt/
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/opt/app PYTHONUNBUFFERED=1 \\
    PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1
# A number, so that Kubernetes can see that it is not root. Nothing is written anywhere.
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s \\
    CMD ["python", "-m", "{package}.serving.health"]
ENTRYPOINT ["python", "-m", "{package}.serving"]
CMD ["serve"]
"""


def text(name: str, package: str, python: str, version: str, digest: str) -> str:
    """Return the Dockerfile; `python` is the minor version that the model was made with."""
    return _TEXT.format(name=name, package=package, python=python, version=version, digest=digest)
