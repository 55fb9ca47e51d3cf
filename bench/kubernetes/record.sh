#!/usr/bin/env bash
# Runs the operator's promises against a real Kubernetes and keeps what kubectl printed, in transcripts/*.txt.
#
#   KUBECONFIG=... bench/kubernetes/record.sh [SCENARIO ...]      all in their order unless named
#
#   MAJOR=17                which major the manifest asks for: one that the operator has an image of
#   IMAGE=localhost/...     the image of the pod that writes all the time: one with psql
#   POWER_OFF, POWER_ON     commands that switch the node $NODE off and on, for `node`; skipped without
#
# The operator is installed before (docs/kubernetes.md). Works in the namespace `record`, which is removed at the end.
# Exit: 0 when every scenario ended as it should.
# shellcheck disable=SC2317,SC2329 # the scenarios are called by their names
set -uo pipefail
cd -- "${BASH_SOURCE[0]%/*}/../.." || exit 1
out=bench/kubernetes/transcripts
namespace=record
cluster=wichtige-daten-3
major=${MAJOR:-17}
image=${IMAGE:-localhost/pgherd-postgres:17-0.1.0}
failed=0
mkdir -p "$out"

k() { kubectl --namespace "$namespace" "$@"; }
# Prints a command as it would be typed, and what it prints.
show() {
  printf '\n$ %s\n' "$*"
  "$@" 2>&1
}
verdict() {
  printf '\n== %s\n' "$*"
}
fail() {
  printf '\n== FAILED: %s\n' "$*"
  return 1
}
manifest() { sed -e "s/version: \"16\"/version: \"$major\"/" -e "s/namespace: \"default\"/namespace: \"$namespace\"/" examples/wichtige-daten-3.yaml; }
# Who holds Patroni's key: the label of a pod whose node is gone says what it was.
primary() { k get configmap "$cluster-leader" -o jsonpath='{.metadata.annotations.leader}' 2>/dev/null; }
field() { k get pg "$cluster" -o jsonpath="{.status.$1}" 2>/dev/null; }
condition() { field "conditions[?(@.type==\"$1\")].${2:-status}"; }
# Members as Patroni describes them in the annotations of its pods: asking patronictl each time would load a small
# machine more than the cluster does.
streaming() {
  k get pods -l "application=spilo,cluster-name=$cluster" -o jsonpath='{range .items[*]}{.metadata.annotations.status}{"\n"}{end}' |
    grep -c -E '"role":"(primary|master)".*"state":"running"|"state":"running".*"role":"(primary|master)"|"replication_state":"streaming"'
}
show_members() {
  printf '\n$ kubectl exec %s -- patronictl list\n' "$(primary)"
  k exec "$(primary)" -c postgres -- patronictl -c /etc/patroni/patroni.yml list 2>&1
}
show_state() {
  show k get pg
  show k get pods -L spilo-role -o wide
  show_members
}
events() {
  printf '\n$ kubectl get events (those of the cluster, since this scenario began)\n'
  k get events --sort-by=.lastTimestamp -o 'custom-columns=TIME:.lastTimestamp,TYPE:.type,REASON:.reason,MESSAGE:.message,KIND:.involvedObject.kind' |
    awk -v since="$since" 'NR == 1 || ($1 >= since && $NF == "postgresql")'
}
now() { date +%s%3N; }
# until SECONDS COMMAND...: tells how long it took
until_() {
  local end=$(($(now) + $1 * 1000)) start
  start=$(now)
  shift
  until "$@"; do
    (($(now) < end)) || return 1
    sleep 0.5
  done
  printf '\n== after %s s: %s\n' "$(seconds $(($(now) - start)))" "$*"
}
seconds() { printf '%d.%01d' $(($1 / 1000)) $(($1 % 1000 / 100)); }
whole() {
  [[ $(field 'PostgresClusterStatus}/{.status.conditions[?(@.type=="Available")].status}/{.status.conditions[?(@.type=="Progressing")].status') == Running/True/False ]] &&
    [[ $(streaming) == "$1" ]]
}
other_primary() { local p; p=$(primary) && [[ -n $p && $p != "$1" ]]; }

# A pod that writes a row five times a second through the Service, each over a new connection, and notes what was
# acknowledged. What is missing at the end, and the longest time without, is the verdict over a fault.
start_writer() {
  k exec "$(primary)" -c postgres -- psql -qU postgres firmendaten -c \
    'set client_min_messages = error; create table if not exists probe (id bigint primary key, at timestamptz default now()); grant all on probe to bauer' >/dev/null
  k apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Pod
metadata: {name: writer}
spec:
  terminationGracePeriodSeconds: 0
  securityContext: {runAsUser: 101, runAsGroup: 103}
  tolerations: [{operator: Exists}]
  nodeSelector: {node-role.kubernetes.io/master: "true"}
  containers:
  - name: writer
    image: $image
    imagePullPolicy: IfNotPresent
    env:
    - {name: PGHOST, value: $cluster}
    - {name: PGUSER, value: bauer}
    - {name: PGDATABASE, value: firmendaten}
    - {name: PGSSLMODE, value: require}
    - {name: PGCONNECT_TIMEOUT, value: "2"}
    - {name: PGPASSWORD, valueFrom: {secretKeyRef: {name: bauer.$cluster.credentials.postgresql.acid.zalan.do, key: password}}}
    command: [bash, -c]
    args:
    - |
      while :; do
        id=\$(date +%s%3N)
        timeout 5 psql -qc "insert into probe(id) values (\$id)" 2>/tmp/error && echo "ok \$id \$(date +%s%3N)" || echo "no \$id \$(date +%s%3N) \$(head -n 1 /tmp/error)"
        sleep 0.2
      done
YAML
  k wait --for=condition=Ready pod/writer --timeout=60s >/dev/null
  sleep 3
}
stop_writer() {
  sleep 3
  k logs writer >"$out/.writer"
  local rows
  rows=$(k exec "$(primary)" -c postgres -- psql -qAtU postgres firmendaten -c 'select id from probe' | sort -n)
  sort -n <<<"$rows" >"$out/.rows"
  awk '$1 == "ok" { print $2 }' "$out/.writer" | sort -n >"$out/.acknowledged"
  local lost
  lost=$(comm -23 "$out/.acknowledged" "$out/.rows" | wc -l)
  awk -v lost="$lost" '
    $1 == "ok" { n++; if (last && $3 - last > longest) longest = $3 - last; last = $3 }
    $1 == "no" { f++ }
    END { printf "\n== writer: %d acknowledged, %d refused, longest time between two acknowledged %.1f s, acknowledged rows lost: %d\n", n, f, longest / 1000, lost }
  ' "$out/.writer"
  grep '^no' "$out/.writer" | cut -d' ' -f4- | sort | uniq -c | head -n 5
  k delete pod writer --wait=false >/dev/null
  rm -f "$out"/.writer "$out"/.rows "$out"/.acknowledged
  [[ $lost == 0 ]] || fail 'acknowledged rows were lost'
}

scenario_applied() {
  show kubectl get nodes
  printf '\n$ sed version %s examples/wichtige-daten-3.yaml | kubectl apply -f -\n' "$major"
  manifest | k apply -f -
  local start
  start=$(now)
  until_ 120 writes_through_service || fail 'no write through the Service' || return
  until_ 120 whole 3 || { show_state; events; fail 'not whole in time'; return; }
  printf '\n== applied to three streaming members with writes through the Service: %s s\n' "$(seconds $(($(now) - start)))"
  show_state
  show k get svc,endpoints,secrets,pvc,pdb,statefulset,deployment
  show k get pg "$cluster" -o jsonpath='{range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{"\n"}{end}'
  events
}
writes_through_service() {
  local p
  p=$(primary) && [[ -n $p ]] || return
  # From within a member, through the Service's address: TLS and a password, as any client. The password comes by
  # stdin, so that no list of processes shows it.
  k get secret "bauer.$cluster.credentials.postgresql.acid.zalan.do" -o jsonpath='{.data.password}' | base64 -d |
    k exec -i "$p" -c postgres -- bash -c "PGPASSWORD=\$(cat) PGCONNECT_TIMEOUT=2 psql \
      'host=$cluster user=bauer dbname=firmendaten sslmode=require' -qc 'create temp table t(i int)'" >/dev/null 2>&1
}

scenario_switchover() {
  start_writer
  local old node
  old=$(primary)
  node=$(k get pod "$old" -o jsonpath='{.spec.nodeName}')
  show kubectl cordon "$node"
  until_ 60 other_primary "$old" || { events; kubectl uncordon "$node"; fail 'the primary was not moved away'; return; }
  show kubectl uncordon "$node"
  until_ 90 whole 3 || { show_state; events; fail 'not whole in time'; return; }
  stop_writer
  show_state
  events
}

scenario_killedPrimary() {
  start_writer
  local old
  old=$(primary)
  show k delete pod "$old" --grace-period=0 --force
  until_ 120 writes_through_service || fail 'no primary'
  until_ 120 whole 3 || { show_state; events; fail 'not whole in time'; return; }
  stop_writer
  show_state
  events
}

scenario_crashedPrimary() {
  start_writer
  local old
  old=$(primary)
  # Everything in the container at once, by SIGKILL: PID 1 ends with its child, and the kubelet starts it again.
  show k exec "$old" -c postgres -- bash -c 'kill -9 -1'
  until_ 120 writes_through_service || fail 'no primary'
  until_ 120 whole 3 || { show_state; events; fail 'not whole in time'; return; }
  stop_writer
  show_state
  events
}

scenario_lostNode() {
  [[ -n ${POWER_OFF:-} && -n ${POWER_ON:-} ]] || { verdict 'SKIPPED: POWER_OFF and POWER_ON are not set'; return; }
  # The node with the API server is not to be lost here: move the primary away from it first.
  local server node old
  server=$(kubectl get nodes -l node-role.kubernetes.io/master -o jsonpath='{.items[0].metadata.name}')
  old=$(primary)
  if [[ $(k get pod "$old" -o jsonpath='{.spec.nodeName}') == "$server" ]]; then
    kubectl cordon "$server" >/dev/null
    until_ 60 other_primary "$old"
    kubectl uncordon "$server" >/dev/null
    until_ 60 whole 3
  fi
  start_writer
  old=$(primary)
  node=$(k get pod "$old" -o jsonpath='{.spec.nodeName}')
  printf '\n$ (power off of %s, which has the primary %s)\n' "$node" "$old"
  NODE=$node bash -c "$POWER_OFF" >/dev/null
  until_ 120 other_primary "$old" || { events; fail 'no new primary'; }
  until_ 90 writes_through_service || fail 'no writes'
  sleep 50
  show kubectl get nodes
  show_state
  show k get pg "$cluster" -o jsonpath='{range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{"\n"}{end}'
  printf '\n$ (power on of %s)\n' "$node"
  NODE=$node bash -c "$POWER_ON" >/dev/null
  until_ 240 whole 3 || { show_state; events; fail 'not whole in time'; return; }
  stop_writer
  show_state
  events
}

scenario_scale() {
  start_writer
  show k patch pg "$cluster" --type merge -p '{"spec":{"numberOfInstances":5}}'
  until_ 180 whole 5 || { show_state; events; fail 'not five in time'; return; }
  show_state
  show k patch pg "$cluster" --type merge -p '{"spec":{"numberOfInstances":3}}'
  until_ 120 whole 3 || { show_state; events; fail 'not three in time'; return; }
  stop_writer
  show_state
  show k get pvc
  events
}

scenario_parameter() {
  start_writer
  show k patch pg "$cluster" --type merge -p '{"spec":{"postgresql":{"parameters":{"max_connections":"150","work_mem":"6MB"}}}}'
  until_ 180 parameter_everywhere max_connections 150 || { show_state; events; fail 'not everywhere in time'; return; }
  until_ 120 whole 3 || { show_state; events; fail 'not whole in time'; return; }
  stop_writer
  show_state
  events
}
parameter_everywhere() {
  local pod
  for pod in $(k get pods -l "application=spilo,cluster-name=$cluster" -o name); do
    [[ $(k exec "${pod#pod/}" -c postgres -- psql -qAtU postgres -c "show $1" 2>/dev/null) == "$2" ]] || return
  done
}

scenario_rollingPods() {
  start_writer
  show k patch pg "$cluster" --type merge -p '{"spec":{"podAnnotations":{"example.org/change":"1"}}}'
  until_ 300 annotated_everywhere || { show_state; events; fail 'not everywhere in time'; return; }
  until_ 120 whole 3 || { show_state; events; fail 'not whole in time'; return; }
  stop_writer
  show_state
  events
}
annotated_everywhere() {
  [[ $(k get pods -l "application=spilo,cluster-name=$cluster" -o jsonpath='{range .items[*]}{.metadata.annotations.example\.org/change}{end}') == 111 ]]
}

scenario_badImage() {
  start_writer
  show k patch pg "$cluster" --type merge -p '{"spec":{"dockerImage":"localhost/no-such-image:1"}}'
  until_ 120 stuck || { show_state; events; fail 'nothing said'; return; }
  sleep 20
  show k get pods -L spilo-role
  local broken
  broken=$(k get pods -l "application=spilo,cluster-name=$cluster" --no-headers | grep -vc ' 1/1 ')
  [[ $broken == 1 ]] || fail "$broken pods are broken, one should be"
  show k get pg
  show k get pg "$cluster" -o jsonpath='{range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{"\n"}{end}'
  show k patch pg "$cluster" --type json -p '[{"op":"remove","path":"/spec/dockerImage"}]'
  until_ 180 whole 3 || { show_state; events; fail 'not whole again in time'; return; }
  stop_writer
  show_state
  events
}
stuck() { k get pods -l "application=spilo,cluster-name=$cluster" --no-headers | grep -q -E 'ErrImage|ImagePullBackOff'; }

scenario_drift() {
  show k delete svc "$cluster-repl"
  until_ 30 k get svc "$cluster-repl" -o name || { fail 'not repaired'; return; }
  show k patch svc "$cluster" --type merge -p '{"spec":{"selector":{"spilo-role":"replica"}}}'
  until_ 30 selects_primary || { fail 'not repaired'; return; }
  show k delete pdb --all
  until_ 30 k get pdb "postgres-$cluster-pdb" -o name || { fail 'not repaired'; return; }
  events
}
selects_primary() { [[ $(k get svc "$cluster" -o jsonpath='{.spec.selector.spilo-role}') == master ]]; }

scenario_invalid() {
  show k patch pg "$cluster" --type merge -p '{"spec":{"postgresql":{"version":"16"}}}'
  until_ 30 invalid || { fail 'not said'; return; }
  show k get pg
  show k get pg "$cluster" -o jsonpath='{range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{"\n"}{end}'
  show_members
  show k patch pg "$cluster" --type merge -p "{\"spec\":{\"postgresql\":{\"version\":\"$major\"}}}"
  until_ 60 whole 3 || { show_state; fail 'not whole again'; return; }
  events
}
invalid() { [[ $(condition InvalidSpec) == True ]]; }

scenario_operatorDown() {
  local operator=(kubectl --namespace pgherd)
  show "${operator[@]}" scale deployment pgherd-operator --replicas=0
  "${operator[@]}" wait --for=delete pod -l app.kubernetes.io/name=pgherd-operator --timeout=60s
  start_writer
  local old
  old=$(primary)
  show k delete pod "$old" --grace-period=0 --force
  until_ 120 writes_through_service || fail 'no writes without the operator'
  until_ 120 three_members || fail 'not three members without the operator'
  stop_writer
  show "${operator[@]}" scale deployment pgherd-operator --replicas=2
  until_ 120 whole 3 || { show_state; fail 'not whole in time'; return; }
  show_state
}
three_members() { [[ $(streaming) == 3 ]]; }

scenario_delete() {
  show k delete pg "$cluster"
  until_ 120 nothing_left || { show k get all; fail 'something is left'; return; }
  show k get statefulset,pods,svc,pdb,deployment,configmap,role,rolebinding,serviceaccount
  show k get pvc,secrets
  printf '\n$ kubectl apply: the same manifest again finds its volumes\n'
  manifest | k apply -f -
  until_ 120 whole 3 || { show_state; events; fail 'not whole again'; return; }
  show k exec "$(primary)" -c postgres -- psql -U postgres firmendaten -c 'select count(*) from probe'
}
nothing_left() { [[ -z $(k get pods,statefulset,deployment,svc -l "cluster-name=$cluster" -o name) ]]; }

all=(applied switchover killedPrimary crashedPrimary operatorDown parameter rollingPods badImage scale drift invalid lostNode delete)
wanted=("$@")
((${#wanted[@]} > 0)) || wanted=("${all[@]}")
kubectl get namespace "$namespace" >/dev/null 2>&1 || kubectl create namespace "$namespace" >/dev/null
for name in "${wanted[@]}"; do
  since=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  {
    printf '%s, %s\n' "$name" "$since"
    kubectl version --short 2>/dev/null | sed -n 's/^Server/API server/p'
    "scenario_$name"
  } >"$out/$name.txt" 2>&1
  # The shell's functions stand for what a person would type.
  sed -i "s/^\\$ k /\$ kubectl -n $namespace /" "$out/$name.txt"
  printf '%s: ' "$name"
  grep -E '^== ' "$out/$name.txt" | tr '\n' ';'
  printf '\n'
  ! grep -q '^== FAILED' "$out/$name.txt" || failed=1
done
exit "$failed"
