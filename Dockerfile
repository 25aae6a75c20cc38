# Builds AT Gateway into a virtual environment and runs it as an ordinary user.
#   docker build -t at-gateway .
#   docker run --rm --device /dev/ttyUSB0 --device /dev/ttyUSB1 --group-add dialout -v at-gateway:/var/lib/at-gateway \
#     at-gateway bridge --host /dev/ttyUSB0 --host-dialect edsoft --module /dev/ttyUSB1 --module-dialect wipsoft \
#     --state /var/lib/at-gateway
# BASE must be a Debian-like image with Python 3.11 or newer and venv.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
RUN python3 -m venv /opt/at-gateway
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY gateway gateway
COPY grammars grammars
COPY dialects dialects
RUN /opt/at-gateway/bin/pip install --no-cache-dir .

FROM ${BASE}
RUN useradd --uid 2000 --groups dialout --no-create-home --shell /usr/sbin/nologin gateway \
    && install -d -o gateway -g gateway /var/lib/at-gateway
COPY --from=build /opt/at-gateway /opt/at-gateway
ENV PATH=/opt/at-gateway/bin:$PATH PYTHONUNBUFFERED=1
USER 2000
VOLUME /var/lib/at-gateway
WORKDIR /var/lib/at-gateway
STOPSIGNAL SIGTERM
ENTRYPOINT ["at-gateway"]
CMD ["--help"]
