"""The Dockerfile of an image that serves one model, and nothing else."""

import re

_APART = "torch"
"""What has builds for the processor alone in an index of its own: the usual one is for CUDA."""

_TEXT = """\
# Made by `nox -s image`. Build: docker build -t {name}:{version} .
# Behind a proxy that signs for others: docker build --secret id=ca,src=ca.pem .
{note}# Run: docker run --read-only -p 8080:8080 -e SERVING_TOKEN {name}:{version}
# Any base with Python {python}: docker build --build-arg BASE=python@sha256:... .
ARG BASE=python:{python}-slim
FROM $BASE AS build
RUN python -m venv --without-pip /opt/venv
# Wheels alone, each with its hash.
COPY requirements.lock /opt/requirements.lock
{install}# What packages bring for those who work on them stays out; one that needs it fails the
# try below, and `--build-arg NEEDLESS=` keeps it all. Byte code without the times of files makes
# two builds alike; some packages bring files for another Python, which are not read here.
ARG NEEDLESS="tests include"
RUN set -e; for name in $NEEDLESS; do \\
        find /opt/venv "(" -path "*/$name/*" -o -type d -name "$name" ")" \\
            ! -path "*.dist-info/*" -delete; done; \\
    find /opt/venv -name "*.pyi" -delete; \\
    /opt/venv/bin/python -m compileall -qq --invalidation-mode unchecked-hash /opt/venv || :
COPY app /opt/app
RUN /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/app

FROM $BASE
# The base image's own, with which nothing is installed here.
RUN python -m pip uninstall --yes --root-user-action=ignore pip setuptools wheel
LABEL org.opencontainers.image.title="{name}" \\
      org.opencontainers.image.version="{version}" \\
      org.opencontainers.image.revision="{digest}" \\
      com.amazonaws.sagemaker.capabilities.accept-bind-to-port=false
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/app /opt/app
COPY model /opt/model
COPY served.json sbom.cdx.json signature* /opt/
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/opt/app PYTHONUNBUFFERED=1 \\
    PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 \\
    TF_NUM_INTRAOP_THREADS=1 TF_CPP_MIN_LOG_LEVEL=2
# A number, so that Kubernetes can see that it is not root. Nothing is written anywhere.
USER 10001:10001
# The model answers its own example, or the build fails.
RUN ["python", "-m", "{package}.serving", "try"]
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s \\
    CMD ["python", "-m", "{package}.serving.health"]
ENTRYPOINT ["python", "-m", "{package}.serving"]
CMD ["serve"]
"""


_INSTALL = """\
RUN --mount=type=secret,id=ca,required=false \\
    if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi; \\
    python -m pip --python /opt/venv/bin/python install --no-cache-dir --no-deps \\
        --only-binary :all: --require-hashes --no-compile{index} -r /opt/{lock}
"""
_INDEX = ' --index-url "${ARGUMENT:?say where the builds for the processor are}"'


def text(
    name: str, package: str, python: str, version: str, digest: str, apart: str | None = None
) -> str:
    """Return the Dockerfile; `python` is the minor version that the model was made with.

    `apart` is a package whose index is asked for when the image is built.
    """
    install, note = _INSTALL.format(index="", lock="requirements.lock"), ""
    if apart:
        argument = argument_of(apart)
        index = _INDEX.replace("ARGUMENT", argument)
        install += f"COPY {apart}.lock /opt/{apart}.lock\nARG {argument}\n"
        install += _INSTALL.format(index=index, lock=f"{apart}.lock")
        note = f"# Where builds of {apart} for the processor are, its page on installing says:\n"
        note += f"# docker build --build-arg {argument}=https://... .\n"
    about = {"name": name, "package": package, "python": python, "version": version}
    return _TEXT.format(**about, digest=digest, install=install, note=note)


def argument_of(apart: str) -> str:
    """Return the build argument that says where a package's builds are."""
    return f"{apart.upper()}_INDEX"


def parted(lock: str) -> tuple[str, str | None, str]:
    """Return a lock without what has an index of its own, that package's name, and its lines."""
    found = re.search(rf"(?m)^{_APART}==(?:.*\\\n)*.*\n", lock)
    if found is None:
        return lock, None, ""
    return lock.replace(found[0], ""), _APART, found[0]
