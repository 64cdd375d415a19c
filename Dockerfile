# One image for web, worker and migrate. PostgreSQL and Valkey are services of their own (docker-compose.yml).
FROM python:3.13-slim AS build
ENV UV_PROJECT_ENVIRONMENT=/opt/agentbase UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
WORKDIR /src
RUN pip install --no-cache-dir "uv>=0.8"
COPY pyproject.toml uv.lock README.md LICENSE ./
# Dependencies first: they change rarely. The local model comes along; the embedded servers stay out.
RUN uv sync --frozen --no-install-project --no-group embedded
COPY app ./app
COPY flows ./flows
COPY components ./components
COPY marketplace ./marketplace
COPY migrations ./migrations
COPY docs ./docs
COPY templates ./templates
COPY static ./static
RUN uv sync --frozen --no-editable --no-group embedded

FROM python:3.13-slim
# git: flows in a repository (docs/git.md); bubblewrap: full Python, where the host allows user namespaces (docs/extend/code.md)
RUN apt-get update && apt-get install --yes --no-install-recommends bubblewrap git && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 1000 --user-group --create-home agentbase && install -d -o agentbase -g agentbase -m 0700 /data
COPY --from=build /opt/agentbase /opt/agentbase
ENV PATH=/opt/agentbase/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    AGENTBASE_DATA=/data \
    AGENTBASE_HOST=0.0.0.0 \
    AGENTBASE_LOG_FORMAT=json
USER 1000:1000
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["agentbase", "doctor", "--live"]
CMD ["agentbase", "web"]
