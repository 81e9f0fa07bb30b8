"""The tests see a machine's programs and none of its habits, wherever they run."""

import os

import surroundings

RUNNER = """ACTIONS_RUNTIME_URL AGENT_TOOLSDIRECTORY AWS_PROFILE CI CLICOLOR_FORCE COLUMNS
    DEBIAN_FRONTEND DVC_REMOTE FORCE_COLOR GIT_AUTHOR_NAME GIT_DIR GIT_INDEX_FILE
    GITHUB_ACTIONS GITHUB_ACTOR GITHUB_API_URL GITHUB_OUTPUT GITHUB_REPOSITORY
    GITHUB_SERVER_URL GITHUB_SHA GITHUB_STEP_SUMMARY GITHUB_TOKEN ImageOS LINES
    MLFLOW_EXPERIMENT_NAME MLFLOW_RUN_ID MLFLOW_TRACKING_TOKEN MLFLOW_TRACKING_URI
    MODEL_SIGNING_KEY NO_COLOR OMP_NUM_THREADS PIP_CONSTRAINT PIPELINE_PROCESS
    PULL_REQUEST PY_COLORS RUNNER_TEMP SERVING_TOKEN TERM TF_NUM_INTRAOP_THREADS TZ
    UV_CONSTRAINT UV_PYTHON XDG_CONFIG_HOME"""
NEEDED = {"PATH": "/bin", "HOME": "/home/a", "LC_ALL": "C.UTF-8", "https_proxy": "x", "Path": "x"}


def test_what_a_runner_or_a_shell_sets_is_left_behind_and_what_programs_need_is_not() -> None:
    there = {**NEEDED, **dict.fromkeys(RUNNER.split(), "somewhere")}
    surroundings.leave(there)
    assert there.pop("OMP_NUM_THREADS") == "1"
    assert there.items() >= NEEDED.items()
    assert not set(RUNNER.split()) & set(there)


def test_these_tests_run_without_any_of_them() -> None:
    assert not {"CI", "GITHUB_ACTIONS", "UV_CONSTRAINT", "FORCE_COLOR", "TERM"} & set(os.environ)
