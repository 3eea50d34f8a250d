# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of the window: its start, its memory, its plots."""
import json
import os
import statistics
import subprocess
import tempfile
import time

from summary import spread

STARTS = 5


class Display:
    """An X server of our own; ends with the block."""

    def __enter__(self):
        read_end, write_end = os.pipe()
        self.server = subprocess.Popen(["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1680x1050x24", "-nolisten", "tcp"],
                                       pass_fds=[write_end], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(write_end)
        with os.fdopen(read_end) as answer:
            number = answer.readline().strip()
        if not number:
            raise RuntimeError("Xvfb did not start")
        return ":" + number

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()


START_GOALS = {"first_paint_ms": 300, "resident_mib": 100, "resident_10000_tables_mib": 150}


def memory_mib(pid):
    """Resident memory of a process, as the kernel counts it: now, and at most so far."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as lines:
        values = dict(line.split(":", 1) for line in lines)
    return tuple(int(values[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))


def resident(bin_folder, display, lab, run):
    """Memory of a console that watches the lab's engine, once its window is there and it grows no more."""
    run(lab.tealctl, "check", lab.plan, "--json")  # starts the engine and fills the checklist
    with tempfile.TemporaryDirectory() as home:
        environment = dict(os.environ, DISPLAY=display, QT_QPA_PLATFORM="xcb", HOME=home, XDG_CONFIG_HOME=home)
        console = subprocess.Popen([os.path.join(bin_folder, "tealdeck"), "--observer", "--plan", lab.plan], env=environment)
        try:
            limit = time.monotonic() + 120
            while subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "^lab .* Tealdeck$"], env=environment, capture_output=True, check=False).returncode != 0:
                if console.poll() is not None or time.monotonic() > limit:
                    raise RuntimeError("the console's window did not appear")
                time.sleep(0.2)
            seen = [0.0]
            while len(seen) < 6 or max(seen[-5:]) - min(seen[-5:]) > 0.5:  # a second apart
                if time.monotonic() > limit:
                    raise RuntimeError(f"the console grows and grows: {seen} MiB")
                time.sleep(1)
                seen.append(memory_mib(console.pid)[0])
            return memory_mib(console.pid)
        finally:
            console.terminate()
            console.wait(timeout=20)


def console_start(bin_folder, Lab, run, figure):
    times = []
    with Display() as display, tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, DISPLAY=display, QT_QPA_PLATFORM="xcb", QT_LOGGING_RULES="tealdeck.start.debug=true")
        picture = os.path.join(folder, "start.png")
        for number in range(STARTS + 1):
            begin = time.monotonic()
            before = os.times()
            ended = subprocess.run([os.path.join(bin_folder, "tealdeck"), "--grab", picture, "--grab-after", "200"], env=environment, stderr=subprocess.PIPE,
                                   text=True, check=True, timeout=60)
            after = os.times()
            painted = [int(line.split()[-1]) for line in ended.stderr.splitlines() if "first paint at" in line]
            if len(painted) != 1:
                raise RuntimeError("the console did not say when it painted: " + ended.stderr)
            if number > 0:  # the first one fills the caches
                times.append((painted[0] / 1e6 - begin) * 1000)  # both by the steady clock
                cpu_ms = (after.children_user + after.children_system - before.children_user - before.children_system) * 1000
            if os.path.getsize(picture) == 0:
                raise RuntimeError("the console painted nothing")
            os.remove(picture)
        with Lab(bin_folder) as lab:
            small, small_peak = resident(bin_folder, display, lab, run)
        with Lab(bin_folder, "--replicas", "0", "--schema", "many", "--tables", "10000") as lab:
            many, many_peak = resident(bin_folder, display, lab, run)
    found = {"first_paint_ms": statistics.median(times), "resident_mib": small, "resident_10000_tables_mib": many}
    done = figure("console_start", found["first_paint_ms"], "ms", START_GOALS["first_paint_ms"],
                  more={"what": "start of the program until its first window is painted, warm caches, Xvfb; memory of an observing console on the lab's engine; all of goals must be "
                                "met; no comparable console could be measured", "goals": START_GOALS, "spread": spread(times), "cpu_ms": round(cpu_ms), **found,
                        "peak_mib": small_peak, "peak_10000_tables_mib": many_peak})
    done["met"] = all(found[name] <= goal for name, goal in START_GOALS.items())
    return done


def plot_bench(bin_folder, run):
    return json.loads(run(os.path.join(bin_folder, "plot_bench")))


def live_frame(bin_folder, run, figure):
    found = plot_bench(bin_folder, run)
    return figure("live_frame", found["live_frame_ms"], "ms", 16,
                  more={"what": "one picture of the window's 8 plots, 16 curves of 24 hours at 1 Hz, median of 15, drawn without a screen", "cpu_ms": round(found["live_frame_cpu_ms"], 2)})


def plot_pyramid(bin_folder, run, figure):
    found = plot_bench(bin_folder, run)
    done = figure("plot_pyramid", found["pyramid_ms"], "ms", 5, "the same points in QCustomPlot with adaptive sampling", found["plain_ms"],
                  more={"what": "one redraw while panning and zooming over 10,000,000 points, median of 15; also at least ten times faster than the peer",
                        "cpu_ms": round(found["pyramid_cpu_ms"], 2), "peer_cpu_ms": round(found["plain_cpu_ms"], 2)})
    done["met"] = done["met"] and found["pyramid_ms"] * 10 <= found["plain_ms"]
    return done
