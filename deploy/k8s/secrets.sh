#!/bin/sh
# Make the Secret `banxi-secrets` with random values, unless it is there.
# Usage: sh deploy/k8s/secrets.sh [NAMESPACE]
# For the trial overlay, whose NATS and PostgreSQL read theirs from the same Secret. In production you
# bring these keys yourself: nats-token and knowledge-database are what your NATS and PostgreSQL want,
# `qdrant-api-key` what your Qdrant wants. That one may be missing: the trial's Qdrant asks for none.
set -eu
namespace=${1:-banxi}
kubectl get namespace "$namespace" >/dev/null 2>&1 || kubectl create namespace "$namespace"
if kubectl -n "$namespace" get secret banxi-secrets >/dev/null 2>&1; then
  echo "banxi-secrets is there already"
  exit 0
fi
# A letter first: NATS reads what begins with a digit as a number.
random() { printf k; od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
password=$(random)
# From standard input: what stands on a command line can be seen by others on this machine.
kubectl -n "$namespace" create -f - <<YAML
apiVersion: v1
kind: Secret
metadata:
  name: banxi-secrets
  labels:
    app.kubernetes.io/name: banxi-secrets
    app.kubernetes.io/part-of: banxi
stringData:
  nats-token: $(random)
  nats-cluster-password: $(random)
  door-token: $(random)
  postgres-password: $password
  knowledge-database: postgresql+asyncpg://banxi:$password@postgres/banxi
YAML
