# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures figures: figures.py BIN JSON_FILE_OR_EMPTY NAME…; see tests/perf/run."""
import functools
import json
import math
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.path.insert(0, HERE)
import copying  # noqa: E402
from summary import pauses_ms, spread  # noqa: E402

sys.path.insert(0, HERE)
import compare  # noqa: E402
import window  # noqa: E402

ROUND_TRIPS = 5  # a cutover and a rollback each
RUNBOOK_RUNS = 3
PAUSE_MEDIAN_MS = 50
PAUSE_P99_MS = 150
PAUSE_RATIO = 0.05
CHECKS = 3
SAMPLES = 3  # windows of ten seconds
PEER_SAMPLES = 10
SETTLE_SECONDS = 2


def log(text):
    print(f"tests/perf/run: {text}", file=sys.stderr, flush=True)


def run(*command, **options):
    """The standard output of a program that ends well; what it complained about otherwise."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {(done.stderr + done.stdout).strip()[-2000:]}")
    return done.stdout


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} × {model}, {memory:.0f} GiB, {platform.system()} {platform.release()}, load {os.getloadavg()[0]:.1f}"


def figure(name, value, unit, goal, peer=None, peer_value=None, more=None):
    return {
        "name": name,
        "value": None if value is None else round(value, 2),
        "unit": unit,
        "peer": peer,
        "peer_value": None if peer_value is None else round(peer_value, 2),
        "ratio": None if value is None or not peer_value else round(value / peer_value, 4),
        "goal": goal,
        "met": value is not None and value <= goal,
        "machine": machine(),
        "more": more or {},
    }


class Lab:
    """A practice lab of its own; ends with the block."""

    def __init__(self, bin_folder, *options):
        self.options = options or ("--replicas", "1")
        self.tealctl = os.path.join(bin_folder, "tealctl")
        self.base = tempfile.mkdtemp(prefix="tealdeck-perf-")
        os.chmod(self.base, 0o755)
        self.dir = os.path.join(self.base, "lab")
        self.plan = os.path.join(self.dir, "plan.toml")
        self.load = None

    def __enter__(self):
        run(self.tealctl, "lab", "up", "--dir", self.dir, "--blue", "15", "--green", "18", *self.options)
        with open(os.path.join(self.dir, "lab.json"), encoding="utf-8") as text:
            self.state = json.load(text)
        return self

    def __exit__(self, *failure):
        if self.load is not None:
            self.load.kill()
            self.load.wait()
        if os.path.exists(os.path.join(self.dir, "lab.json")):
            for command in (["stop", self.plan], ["lab", "down", "--dir", self.dir]):
                subprocess.run([self.tealctl, *command], capture_output=True, check=False)
        if failure[0] is None:
            shutil.rmtree(self.base, ignore_errors=True)
        else:
            log(f"logs are left in {self.dir}")

    def port(self, side):
        return next(s["port"] for s in self.state["servers"] if s["side"] == side and s["role"] == "primary")

    def psql(self, side, database, *arguments, **options):
        return run(self.tealctl, "lab", "psql", "--dir", self.dir, "--side", side, "--database", database, "--", "-qAtX", *arguments, **options)

    def start_load(self, name):
        self.history = os.path.join(self.base, name + ".jsonl")
        command = [self.tealctl, "lab", "load", "--dir", self.dir, "--clients", "8", "--rate", "300", "--seconds", "7200"]
        self.load = subprocess.Popen([*command, "--history", self.history, "--json"], stdout=subprocess.PIPE, text=True)
        time.sleep(SETTLE_SECONDS)

    def stop_load(self):
        time.sleep(SETTLE_SECONDS)
        self.load.send_signal(signal.SIGTERM)
        output, _ = self.load.communicate(timeout=60)
        self.load = None
        return json.loads(output)


@functools.lru_cache(maxsize=None)
def measure_engine(bin_folder):
    """Switches there and back under load."""
    with Lab(bin_folder) as lab:
        with open(lab.plan, encoding="utf-8") as text:
            plan = text.read()
        with open(lab.plan, "w", encoding="utf-8") as out:
            out.write(plan.replace("steps = [10, 20, 50, 100]", "steps = [100]").replace("hold_seconds = 60", "hold_seconds = 0.5"))
        lab.start_load("engine")
        for number in range(ROUND_TRIPS):
            log(f"engine: there and back, {number + 1} of {ROUND_TRIPS}")
            run(lab.tealctl, "run", lab.plan, "--until", "observe", "--json")
            time.sleep(SETTLE_SECONDS)
            report = json.loads(run(lab.tealctl, "rollback", lab.plan, "--json"))
            time.sleep(SETTLE_SECONDS)
        load = lab.stop_load()
        verdict = subprocess.run([os.path.join(bin_folder, "history_check"), "--history", lab.history, "--final", lab.dir, "--side", "blue", "--switches", str(2 * ROUND_TRIPS)],
                                 capture_output=True, text=True, check=False)
        if verdict.returncode != 0:
            raise RuntimeError("the history is not clean, so the pauses count for nothing: " + verdict.stdout[-2000:])
        done = [s for s in report["switches"] if s["ok"]]
        if len(done) != 2 * ROUND_TRIPS:
            raise RuntimeError(f"{len(done)} switches were done instead of {2 * ROUND_TRIPS}")
        return {"done": done, "felt": pauses_ms(lab.history), "client_errors": load["error_count"]}


def prepare_runbook(lab):
    """Plain logical replication of every table, as any script would set it up."""
    bin_folder = lab.state["servers"][0]["bin"]
    client = bin_folder if os.path.exists(os.path.join(bin_folder, "pg_dump")) else os.path.dirname(shutil.which("pg_dump") or "")
    blue = f"host=127.0.0.1 port={lab.port('blue')} user=tealdeck passfile={lab.state['passfile']} sslmode=verify-full sslrootcert={lab.state['ca']}"
    roles = run(os.path.join(client, "pg_dumpall"), "--roles-only", "-d", blue + " dbname=postgres")
    lab.psql("green", "postgres", input=roles)  # roles that are there already are reported and left alone
    for database in lab.state["databases"]:
        schema = run(os.path.join(client, "pg_dump"), "--schema-only", "--create", "-d", f"{blue} dbname={database}")
        lab.psql("green", "postgres", input=schema)
        source = f"host=127.0.0.1 port={lab.port('blue')} user=tealdeck_repl dbname={database} passfile={lab.state['server_passfile']} sslmode=verify-full sslrootcert={lab.state['ca']}"
        lab.psql("blue", database, "-v", "ON_ERROR_STOP=1", "-c", "CREATE PUBLICATION runbook FOR ALL TABLES")
        lab.psql("green", database, "-v", "ON_ERROR_STOP=1", "-c", f"CREATE SUBSCRIPTION runbook_{database} CONNECTION '{source}' PUBLICATION runbook")
    for database in lab.state["databases"]:
        limit = time.monotonic() + 120
        while lab.psql("green", database, "-c", "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel").strip() != "t":
            if time.monotonic() > limit:
                raise RuntimeError(f"the tables of {database} were not copied within 120 s")
            time.sleep(0.5)


def undo_runbook(lab):
    """Back to the beginning, when nobody writes any more."""
    file = os.path.join(lab.state["poolers"][0]["folder"], "databases.ini")
    with open(file + ".before", encoding="utf-8") as text:
        before = text.read()
    with open(file, "w", encoding="utf-8") as out:
        out.write(before)
    environment = dict(os.environ, PGPASSFILE=lab.state["passfile"])
    run("psql", "-h", "127.0.0.1", "-p", str(lab.state["poolers"][0]["port"]), "-U", "pgb_admin", "-d", "pgbouncer", "-c", "RELOAD", env=environment)
    for database in lab.state["databases"]:
        lab.psql("blue", "postgres", "-c", f"ALTER DATABASE {database} RESET default_transaction_read_only")
        lab.psql("green", database, "-c", f"DROP SUBSCRIPTION runbook_{database}")
        lab.psql("green", "postgres", "-c", f"DROP DATABASE {database} WITH (FORCE)")
        lab.psql("blue", database, "-c", "DROP PUBLICATION runbook")


@functools.lru_cache(maxsize=None)
def measure_runbook(bin_folder):
    pauses, felt, errors = [], [], 0
    with Lab(bin_folder) as lab:
        for number in range(RUNBOOK_RUNS):
            log(f"runbook script: {number + 1} of {RUNBOOK_RUNS}")
            prepare_runbook(lab)
            lab.start_load(f"runbook-{number}")
            pauses.append(float(run("bash", os.path.join(HERE, "runbook.sh"), lab.dir, lab.tealctl, *lab.state["databases"])))
            errors += lab.stop_load()["error_count"]
            felt += pauses_ms(lab.history)
            if number + 1 < RUNBOOK_RUNS:
                undo_runbook(lab)
    return {"pauses": pauses, "felt": felt, "client_errors": errors}


def switch_pause(name, direction, bin_folder):
    """Both directions are measured in one run, with one peer."""
    ours = measure_engine(bin_folder)
    peer = measure_runbook(bin_folder)
    done = [s for s in ours["done"] if s["direction"] == direction]
    pauses = [s["pause_ms"] for s in done]
    parts = {part: round(statistics.median(s["parts_ms"][part] for s in done), 1) for part in done[0]["parts_ms"]}
    more = {"what": f"PAUSE of the poolers to their RESUME in a {direction}, 8 clients, 300 operations/s, two databases, TLS between pooler and "
                    "servers, the way back armed, PostgreSQL 15 and 18",
            "switches": len(pauses), "parts": parts, "p99": round(percentile(pauses, 99), 1), "p99_goal": PAUSE_P99_MS, "ratio_goal": PAUSE_RATIO,
            "spread": spread(pauses), "peer_spread": spread(peer["pauses"]), "felt_by_clients": spread(ours["felt"]),
            "peer_felt_by_clients": spread(peer["felt"]), "client_errors": ours["client_errors"], "peer_client_errors": peer["client_errors"]}
    result = figure(name, statistics.median(pauses), "ms", PAUSE_MEDIAN_MS, "runbook script: a psql per step, 1 s poll", statistics.median(peer["pauses"]), more)
    result["met"] = result["met"] and more["p99"] <= PAUSE_P99_MS and result["ratio"] <= PAUSE_RATIO and ours["client_errors"] == 0
    return result


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(len(ordered) * share / 100) - 1)]


def cutover_pause(bin_folder):
    return switch_pause("cutover_pause", "cutover", bin_folder)


def rollback_pause(bin_folder):
    return switch_pause("rollback_pause", "rollback", bin_folder)


def psql_question(lab, side, database, sql):
    """One question as a script asks it: a psql of its own."""
    connection = f"host=127.0.0.1 port={lab.port(side)} user=tealdeck dbname={database} passfile={lab.state['passfile']} sslmode=verify-full sslrootcert={lab.state['ca']}"
    return subprocess.run(["psql", "-qAtX", "-d", connection, "-c", sql], capture_output=True, check=False).returncode


def script_questions(lab):
    """The statements of the checklist that are whole without an engine, with where to ask them."""
    filled = {"{users}": "n.nspname !~ '^pg_' and n.nspname <> 'information_schema'", "{databases}": "1", "{slots}": "3", "{workers}": "2",
              "{repl_role}": "'tealdeck_repl'", "{repl_name}": "tealdeck_repl", "{read_roles}": "array['shop_reader']::text[]", "{identity_full}": "true",
              "{long_s}": "5", "{drain_ms}": "1000", "{budget_ms}": "2000", "{subscription}": "'none'",
              "{not_extension}": "not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')"}
    sides = {"source": ["blue"], "destination": ["green"], "both": ["blue", "green"]}
    questions = []
    for check in json.loads(run(lab.tealctl, "check", "--list", "--json"))["checks"]:
        sql = check["sql"]
        for key, value in filled.items():
            sql = sql.replace(key, value)
        if not sql or "{no_key}" in sql or "{key_index}" in sql or check["when"] == "before cutover":
            continue
        for side in sides.get(check["scope"], []):
            major = 15 if side == "blue" else 18
            if check["min_version"] <= major <= check["max_version"] and not (check["per_database"] and side == "green"):
                questions.append((side, lab.state["databases"][0] if check["per_database"] else "postgres", sql))
    return questions


def check_many(bin_folder):
    """The checklist on ten thousand tables, asked by an engine that runs already; the peer asks a part of it, a psql a question."""
    with Lab(bin_folder, "--replicas", "0", "--schema", "many", "--tables", "10000") as lab:
        times = []
        for _ in range(CHECKS + 1):
            begin = time.monotonic()
            run(lab.tealctl, "check", lab.plan, "--json")
            times.append((time.monotonic() - begin) * 1000)
        times = times[1:]  # the first one starts the engine
        questions = script_questions(lab)
        peer = []
        for _ in range(CHECKS):
            begin = time.monotonic()
            failed = sum(psql_question(lab, *question) != 0 for question in questions)
            peer.append((time.monotonic() - begin) * 1000)
        return figure("check_many", statistics.median(times), "ms", 15000, "script: a psql for each question that is one statement", statistics.median(peer),
                      {"what": "tealctl check, 10,000 tables, PostgreSQL 15 and 18", "spread": spread(times), "peer_spread": spread(peer),
                       "peer_questions": len(questions), "peer_failed": failed})


def sampler(bin_folder):
    """What sampling at 1 Hz costs, as the engine itself shows it, with feeds running; the peer asks its eight light questions with psql."""
    with Lab(bin_folder) as lab:
        run(lab.tealctl, "run", lab.plan, "--until", "validate", "--json")
        lab.start_load("sampler")
        values = []
        while len(values) < SAMPLES:
            time.sleep(11)
            cost = json.loads(run(lab.tealctl, "status", lab.plan, "--json"))["sampling"]
            if cost["cpu_percent"] is not None:
                values.append(cost["cpu_percent"])
        before = os.times()
        for _ in range(PEER_SAMPLES):
            for side in ("blue", "green"):
                for _ in range(4):
                    psql_question(lab, side, "postgres", "select sum(xact_commit) from pg_stat_database")
        after = os.times()
        peer = (after.children_user + after.children_system - before.children_user - before.children_system) * 100 / PEER_SAMPLES
        lab.stop_load()
        return figure("sampler", statistics.median(values), "% of a core", 0.5, "script: a psql for each of eight questions a second", peer,
                      {"what": "processor time of sampling at 1 Hz in the engine, two databases, two servers a side, feeds under load", "values": values, "sample_ms": cost["ms"]})


def verify(bin_folder):
    """A comparison of one large table, all connections to both sides, against an md5 of every row."""
    with Lab(bin_folder, "--replicas", "0") as lab:
        ours, theirs = compare.measure(lab, run)
    value, peer = statistics.median(ours), statistics.median(theirs)
    return figure("verify", value * 1000, "ms", peer * 1000 / 4, "md5 of every row, one side after the other", peer * 1000,
                  {"what": f"{compare.ROWS} rows of 8 columns, PostgreSQL 15 and 18, every row on both sides", "seconds": ours, "peer_seconds": theirs})


RECORDING_GOALS = {"size_mib": 64, "open_cold_ms": 300, "seek_p99_ms": 10, "verify_ms": 500}


def recording(bin_folder):
    with tempfile.TemporaryDirectory(prefix="tealdeck-perf-") as folder:
        found = json.loads(run(os.path.join(bin_folder, "recording_bench"), folder))
    if not found["jump_equals_play"]:
        raise RuntimeError("jumping to the end is not the same as playing to it")
    done = figure("recording", found["seek_p99_ms"], "ms", RECORDING_GOALS["seek_p99_ms"], "fold of all records from the beginning", found["play_from_start_ms"],
                  more={"what": "99 % of jumps in a recording of 24 hours, 50 metrics at 1 Hz and 100,000 events; all of goals must be met", "goals": RECORDING_GOALS, **found})
    done["met"] = all(found[name] <= goal for name, goal in RECORDING_GOALS.items())
    return done


@functools.lru_cache
def replayed(bin_folder):
    """A day of 50 metrics at 1 Hz with 1,000,000 events, and a week with 100,000 events a day, in a window of 1600x1000. Measured once for the figures that are made of it."""
    found = {}
    for name, hours, events in (("day", "24", "1000000"), ("week", "168", "100000")):
        with tempfile.TemporaryDirectory(prefix="tealdeck-perf-") as folder:
            run(os.path.join(bin_folder, "recording_bench"), folder, hours, events, timeout=3600)
            found[name] = json.loads(run(os.path.join(bin_folder, "replay_bench"), os.path.join(folder, "day.teal"), timeout=3600))
    return found


def replay_open(bin_folder):
    day, week = replayed(bin_folder)["day"], replayed(bin_folder)["week"]
    done = figure("replay_open", day["open_ms"], "ms", 1000,
                  more={"what": "to the first picture of a recording of a day; a week's in 2000 ms; at most 250 MiB; no other tool replays an upgrade",
                        "week_open_ms": week["open_ms"], "studied_ms": day["studied_ms"], "peak_mib": day["peak_mib"], "week_peak_mib": week["peak_mib"]})
    done["met"] = done["met"] and week["open_ms"] <= 2000 and day["peak_mib"] <= 250
    return done


def replay_seek(bin_folder):
    day = replayed(bin_folder)["day"]
    return figure("replay_seek", day["seek_p99_ms"], "ms", 50, more={"what": "99 % of jumps to anywhere in a day until all that is in sight is painted; of the list of events the nearest 200, the other 1,800 follow after 150 ms of rest", **day})


def replay_play(bin_folder):
    day = replayed(bin_folder)["day"]
    return figure("replay_play", day["frame_p50_ms"], "ms", 33.3, more={"what": "one frame at 60 times the speed, half of them; 30 frames a second", **day})


# The same names as in tests/perf/run.
FIGURES = {
    "cutover_pause": cutover_pause,
    "rollback_pause": rollback_pause,
    "console_start": lambda bin_folder: window.console_start(bin_folder, Lab, run, figure),
    "recording": recording,
    "replay_open": replay_open,
    "replay_seek": replay_seek,
    "replay_play": replay_play,
    "check_many": check_many,
    "sampler": sampler,
    "verify": verify,
    "live_frame": lambda bin_folder: window.live_frame(bin_folder, run, figure),
    "plot_pyramid": lambda bin_folder: window.plot_pyramid(bin_folder, run, figure),
    "copy_many": lambda bin_folder: copying.copy_many(bin_folder, Lab, run, figure),
    "copy_big": lambda bin_folder: copying.copy_big(bin_folder, Lab, run, figure),
}


def main(bin_folder, json_file, names):
    figures = []
    failed = False
    for name in names:
        try:
            figures.append(FIGURES[name](bin_folder))
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as reason:
            log(f"{name} could not be measured: {reason}")
            failed = True
    for f in figures:
        peer = f"; peer ({f['peer']}) {f['peer_value']} {f['unit']}, ratio {f['ratio']}" if f["peer"] else "; no peer"
        print(f"{f['name']}: {f['value']} {f['unit']} (goal at most {f['goal']}: {'met' if f['met'] else 'MISSED'}){peer}")
        print("  " + json.dumps(f["more"], ensure_ascii=False))
    if json_file:
        with open(json_file, "w", encoding="utf-8") as out:
            json.dump(figures, out, indent=2, ensure_ascii=False)
            out.write("\n")
    return 1 if failed or not all(f["met"] for f in figures) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
