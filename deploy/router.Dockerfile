# The router before the policy's replicas. Built from the repository's root: docker build -f deploy/router.Dockerfile .
FROM python:3.11-slim
RUN pip install --no-cache-dir vllm-router==0.1.17 && useradd --uid 1000 --create-home router
USER 1000
ENTRYPOINT ["vllm-router", "--host", "0.0.0.0", "--port", "8000"]
