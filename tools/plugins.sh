#!/bin/sh
# Proves the plug-ins of others, by night: an environment for each of the two frameworks (they want other versions of the vendors'
# SDKs than we do, and so cannot be in .venv), real plug-ins in it, and their tests against the stand-ins. Needs the network to
# install, none to test. The environments are kept; delete .venv-livekit and .venv-pipecat to build them anew.
set -eu
cd "$(dirname "$0")/.."

TESTING="pytest pytest-asyncio pytest-timeout hypothesis"
OURS="msgspec numpy soxr structlog websockets" # what the parts under test and the stand-ins import of our own requirements

prove() { # environment, test, packages...
    environment=$1 test=$2
    shift 2
    [ -x "$environment/bin/python" ] || .venv/bin/python -m venv "$environment"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check "$@" $TESTING $OURS
    "$environment/bin/python" -m pytest -q "tests/integration/vendors/$test"
}

prove .venv-livekit test_livekit_plugins.py livekit-agents==1.8.9 livekit-plugins-deepgram==1.8.9 \
    livekit-plugins-openai==1.8.9 livekit-plugins-anthropic==1.8.9 livekit-plugins-elevenlabs==1.8.9
prove .venv-pipecat test_pipecat_services.py "pipecat-ai[deepgram,openai,elevenlabs]==1.14.0"
