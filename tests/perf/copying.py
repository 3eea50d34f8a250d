# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the initial copy, each against the servers' own table synchronisation in the same run."""
import json
import os
import shutil
import subprocess
import time

MANY_TABLES = int(os.environ.get("TEALDECK_PERF_TABLES", "10000"))
SAMPLE_TABLES = 300  # the peer's time grows with their number: a sample is scaled
BIG_SCALE = int(os.environ.get("TEALDECK_PERF_SCALE", "170"))  # pgbench; 170 is about 2.5 GB with the indexes
INDEXES = "create index on public.pgbench_accounts(bid); create index on public.pgbench_accounts(abalance)"


def step_seconds(report, *names):
    steps = {s["id"]: (s["ended_us"] - s["started_us"]) / 1e6 for s in report["steps"]}
    return sum(steps["replicate." + name] for name in names)


def replicate(lab, run, settings):
    with open(lab.plan, encoding="utf-8") as text:
        plan = text.read()
    with open(lab.plan, "w", encoding="utf-8") as out:
        out.write(plan.split("\n[copy]")[0] + "\n[copy]\n" + settings)
    return json.loads(run(lab.tealctl, "run", lab.plan, "--until", "validate", "--json"))


def engine_memory(lab):
    """The engine's largest resident size so far, in MiB."""
    with open(os.path.join(lab.dir, "engine", "engine.json"), encoding="utf-8") as text:
        pid = json.load(text)["pid"]
    with open(f"/proc/{pid}/status", encoding="utf-8") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def copy_many(bin_folder, Lab, run, figure):
    with Lab(bin_folder, "--replicas", "0", "--schema", "many", "--tables", str(MANY_TABLES)) as lab:
        report = replicate(lab, run, "rehearsal = false\n")
        ours = step_seconds(report, "subscribe", "copy")
        tables = report["copies"][0]["tables_total"]
        memory = engine_memory(lab)
        strategy = report["copies"][0]["strategy"]
    with Lab(bin_folder, "--replicas", "0", "--schema", "many", "--tables", str(SAMPLE_TABLES)) as lab:
        report = replicate(lab, run, "rehearsal = false\nstrategy = \"server-to-server\"\n")
        native = step_seconds(report, "subscribe", "copy")
        sample = report["copies"][0]["tables_total"]
    peer = native / sample * 1000
    return figure("copy_many", ours / tables * 1000, "ms", peer / 100, "native table synchronisation, scaled from a sample", peer,
                  {"what": "time for each table, publication to the subscription that follows, PostgreSQL 15 and 18", "strategy": strategy, "tables": tables, "seconds": round(ours, 1),
                   "peer_tables": sample, "peer_seconds": round(native, 1), "engine_memory_mib": round(memory, 1)})


def native_with_indexes(lab, run, database):
    """What a script does: the whole schema first, then a subscription that copies."""
    client = os.path.dirname(shutil.which("pg_dump") or "")
    blue = f"host=127.0.0.1 port={lab.port('blue')} user=tealdeck passfile={lab.state['passfile']} sslmode=verify-full sslrootcert={lab.state['ca']}"
    schema = run(os.path.join(client, "pg_dump"), "--schema-only", "--create", "-d", f"{blue} dbname={database}")
    lab.psql("green", "postgres", input=schema)
    source = f"host=127.0.0.1 port={lab.port('blue')} user=tealdeck_repl dbname={database} passfile={lab.state['server_passfile']} sslmode=verify-full sslrootcert={lab.state['ca']}"
    begin = time.monotonic()
    lab.psql("blue", database, "-v", "ON_ERROR_STOP=1", "-c", "CREATE PUBLICATION peer FOR ALL TABLES")
    lab.psql("green", database, "-v", "ON_ERROR_STOP=1", "-c", f"CREATE SUBSCRIPTION peer CONNECTION '{source}' PUBLICATION peer")
    while lab.psql("green", database, "-c", "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel").strip() != "t":
        time.sleep(0.2)
    seconds = time.monotonic() - begin
    lab.psql("green", database, "-c", "DROP SUBSCRIPTION peer")
    lab.psql("blue", database, "-c", "DROP PUBLICATION peer")
    lab.psql("green", "postgres", "-c", f"DROP DATABASE {database} WITH (FORCE)")
    return seconds


def pgcopydb(lab, run, database):
    """Debian's pgcopydb, when it is installed: the whole clone but its restart points."""
    if not shutil.which("pgcopydb"):
        return None
    lab.psql("green", "postgres", "-c", f"CREATE DATABASE {database} TEMPLATE template0")
    address = "postgres://tealdeck@127.0.0.1:{}/" + f"{database}?sslmode=verify-full&sslrootcert={lab.state['ca']}"
    begin = time.monotonic()
    done = subprocess.run(["pgcopydb", "clone", "--source", address.format(lab.port("blue")), "--target", address.format(lab.port("green")), "--table-jobs", "4", "--index-jobs", "4",
                           "--no-owner", "--no-acl", "--dir", os.path.join(lab.base, "pgcopydb")], env=dict(os.environ, PGPASSFILE=lab.state["passfile"]), capture_output=True, text=True, check=False)
    seconds = time.monotonic() - begin
    lab.psql("green", "postgres", "-c", f"DROP DATABASE {database} WITH (FORCE)")
    return seconds if done.returncode == 0 else None


def copy_big(bin_folder, Lab, run, figure):
    with Lab(bin_folder, "--replicas", "0", "--schema", "pgbench", "--scale", str(BIG_SCALE)) as lab:
        database = lab.state["databases"][0]
        lab.psql("blue", database, "-v", "ON_ERROR_STOP=1", "-c", INDEXES)
        size = float(lab.psql("blue", database, "-c", "select pg_database_size(current_database())")) / 1e9
        report = replicate(lab, run, "rehearsal = false\n")
        ours = step_seconds(report, "subscribe", "copy", "indexes")
        memory = engine_memory(lab)
        run(lab.tealctl, "abort", lab.plan, "--json")
        run(lab.tealctl, "stop", lab.plan)
        lab.psql("green", "postgres", "-c", f"DROP DATABASE {database} WITH (FORCE)")
        native = native_with_indexes(lab, run, database)
        third = pgcopydb(lab, run, database)
    more = {"what": "pgbench with two more indexes on accounts, rows and all indexes, PostgreSQL 15 and 18", "scale": BIG_SCALE, "gigabytes": round(size, 2),
            "engine_memory_mib": round(memory, 1), "pgcopydb_seconds": third and round(third, 1), "ratio_to_pgcopydb": third and round(ours / third, 2)}
    done = figure("copy_big", ours, "s", native / 2, "native table synchronisation with the indexes first", native, more)
    done["met"] = done["met"] and (third is None or ours <= 0.9 * third)
    return done
