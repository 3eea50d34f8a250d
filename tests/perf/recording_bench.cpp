// SPDX-License-Identifier: GPL-3.0-or-later
// Writes a recording of a day and measures it: recording_bench FOLDER [HOURS [EVENTS-A-DAY]]; prints one JSON object. Used by tests/perf/run.
#include "core/recording/reader.h"
#include "core/recording/writer.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <fmt/format.h>
#include <random>
#include <unistd.h>

using namespace tealdeck;

namespace {

constexpr int METRICS = 50;
std::uint64_t eventsADay = 100'000;
constexpr int SEEKS = 1000;
constexpr int REPEATS = 5;

using Random = std::mt19937_64;

/// Time on the wall and of the processor: they differ where others use the machine, or the disk is waited for.
struct Times {
    std::vector<double> wall;
    std::vector<double> cpu;
    void add(const std::function<void()>& what) {
        const auto begin = std::chrono::steady_clock::now();
        const double before = cpuMs();
        what();
        cpu.push_back(cpuMs() - before);
        wall.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    }
    static double cpuMs() {
        timespec now{};
        ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
    }
};

double millis(const std::function<void()>& what) {
    Times times;
    times.add(what);
    return times.wall[0];
}

[[noreturn]] void fail(const Error& error) {
    fmt::print(stderr, "recording_bench: {}\n", error.text());
    std::exit(1);
}

template <class T>
T orFail(Result<T> result) {
    if (!result) {
        fail(result.error());
    }
    return std::move(result).value();
}

std::string sentence(Random& random, std::size_t length) {
    static const std::vector<std::string> WORDS{"replica", "slot",    "wal",           "table",  "ready",
                                                "lag",     "seconds", "public.orders", "blue-1", "green-1"};
    std::string text;
    while (text.size() < length) {
        text += WORDS[random() % WORDS.size()] + " " + std::to_string(random() % 100'000) + " ";
    }
    return text;
}

/// Half of the metrics move at each sample, with three decimals; the others now and then.
Json sample(Random& random, std::vector<double>& state) {
    Json values = Json::object();
    for (std::size_t i = 0; i < state.size(); ++i) {
        if (i % 2 == 0 || random() % 50 == 0) {
            state[i] = std::max(0.0, state[i] + static_cast<double>(static_cast<std::int64_t>(random() % 20'001) - 10'000) / 1000.0);
        }
        const double rounded = std::round(state[i] * 1000) / 1000;
        values[fmt::format("metric_{}.{}", i, i % 2 == 0 ? "blue" : "green")] = random() % 500 == 0 ? Json(nullptr) : Json(rounded);
    }
    return {{"values", values}};
}

/// Bodies of about 350 bytes in the kinds that an engine writes most.
Event randomEvent(Random& random, std::int64_t timeUs) {
    Event event;
    event.steadyUs = timeUs;
    const std::uint64_t dice = random() % 1000;
    if (dice < 400) {
        CheckState check;
        check.id = fmt::format("CHK{:02}/blue/shop", random() % 60);
        check.question = check.id + " is asked in a sentence of this length";
        check.actual = random() % 4 == 0 ? sentence(random, 60) : "as it was before, in a sentence of this length, the same again";
        check.result = random() % 10 == 0 ? CheckResult::Fail : CheckResult::Pass;
        check.evaluatedUs = timeUs;
        check.validForUs = 60'000'000;
        event.kind = EventKind::Check;
        event.body = toJson(check);
    } else if (dice < 600) {
        ReplicationState state;
        state.database = random() % 2 == 0 ? "shop" : "books";
        state.direction = "forward";
        state.state = "streaming";
        state.lagBytes = static_cast<double>(random() % 1'000'000);
        state.error = sentence(random, 80);
        state.sampledUs = timeUs;
        event.kind = EventKind::Replication;
        event.body = toJson(state);
    } else if (dice < 650) {
        Node node;
        node.name = "blue-1";
        node.host = "10.0.0.1";
        node.connections = static_cast<double>(random() % 500);
        node.sampledUs = timeUs;
        event.kind = EventKind::Topology;
        event.body = {{"side", "blue"}, {"nodes", Json::array({toJson(node)})}};
    } else if (dice < 998) {
        event.kind = EventKind::Statement;
        event.body = {{"server", "blue-1"},
                      {"text", sentence(random, 260)},
                      {"ms", static_cast<double>(random() % 1000) / 8},
                      {"rows", random() % 1000},
                      {"sqlstate", "00000"}};
    } else {
        event.kind = EventKind::Intent;
        event.body = {{"step", "cutover.fence"}, {"detail", sentence(random, 300)}};
    }
    return event;
}

void put(RecordingWriter& writer, Event event) {
    event.seq = writer.lastSeq() + 1;
    event.wallUs = 1'700'000'000'000'000 + event.steadyUs;
    Event seal;
    const bool sealed = event.kind == EventKind::Metrics && writer.sealDue();
    if (const Status put = sealed ? writer.appendSealed(event, seal) : writer.append(event); !put) {
        fail(put.error());
    }
}

void generate(const std::filesystem::path& file, std::int64_t hours) {
    auto writer = orFail(
        RecordingWriter::create(file, {{"deployment", "shop"}, {"recording_id", "bench"}, {"plan_sha256", "00"}, {"tool", "bench"}}));
    Random random(1);
    std::vector<double> state(METRICS, 100.0);
    std::uint64_t events = 0;
    for (std::int64_t second = 0; second < hours * 3600; ++second) {
        put(*writer, {0, second * 1'000'000, 0, EventKind::Metrics, "engine", sample(random, state)});
        const auto wanted = static_cast<std::uint64_t>(second + 1) * eventsADay / 86'400;
        for (; events < wanted; ++events) {
            put(*writer, randomEvent(random, second * 1'000'000 + static_cast<std::int64_t>(random() % 1'000'000)));
        }
    }
    if (const Status closed = writer->close(); !closed) {
        fail(closed.error());
    }
}

/// Takes the file out of the page cache; what the disk caches itself stays.
void makeCold(const std::filesystem::path& file) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ::fsync(fd);
        ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        ::close(fd);
    }
}

double at(std::vector<double> values, double share) {
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

/// Opens the cold file and verifies it, several times; the last one stays open.
std::unique_ptr<RecordingReader> openAndVerify(const std::filesystem::path& file, Times& cold, Times& verify) {
    std::unique_ptr<RecordingReader> reader;
    for (int i = 0; i < REPEATS; ++i) {
        makeCold(file);
        cold.add([&] {
            reader = orFail(RecordingReader::open(file));
            static_cast<void>(orFail(reader->info()));
        });
        verify.add([&] {
            if (const VerifyReport report = orFail(reader->verify()); !report.ok) {
                fail({Error::Kind::Internal, report.reason, {}, {}});
            }
        });
    }
    return reader;
}

Json measure(const std::filesystem::path& file) {
    Times cold;
    Times verify;
    const std::unique_ptr<RecordingReader> reader = openAndVerify(file, cold, verify);
    const RecordingInfo info = orFail(reader->info());
    Random random(2);
    Times seeks;
    for (int i = 0; i < SEEKS; ++i) {
        const auto time = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(info.durationUs));
        seeks.add([&] { static_cast<void>(orFail(reader->snapshotAfter(orFail(reader->seqAt(time))))); });
    }
    Times plots;
    Times windows;
    for (int i = 0; i < REPEATS; ++i) {
        plots.add([&] { static_cast<void>(orFail(reader->columns(0, info.durationUs, 1000))); });
        windows.add([&] { static_cast<void>(orFail(reader->columns(info.durationUs / 2, info.durationUs / 2 + 600'000'000, 600))); });
    }
    Snapshot played;
    const double play = millis([&] {
        static_cast<void>(reader->read(1, 0, [&](const Event& event) {
            apply(played, event);
            return true;
        }));
    });
    const bool same = toJson(played) == toJson(orFail(reader->snapshotAfter(info.records)));
    return {{"records", info.records},
            {"keyframes", info.keyframes},
            {"size_mib", static_cast<double>(std::filesystem::file_size(file)) / (1 << 20)},
            {"open_cold_ms", at(cold.wall, 0.5)},
            {"verify_ms", at(verify.wall, 0.5)},
            {"open_cpu_ms", at(cold.cpu, 0.5)},
            {"verify_cpu_ms", at(verify.cpu, 0.5)},
            {"seek_p99_cpu_ms", at(seeks.cpu, 0.99)},
            {"seek_p50_ms", at(seeks.wall, 0.5)},
            {"seek_p99_ms", at(seeks.wall, 0.99)},
            {"seek_worst_ms", at(seeks.wall, 1.0)},
            {"plot_day_ms", at(plots.wall, 0.5)},
            {"plot_10_min_ms", at(windows.wall, 0.5)},
            {"play_from_start_ms", play},
            {"jump_equals_play", same}};
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        fmt::print(stderr, "usage: recording_bench FOLDER [HOURS [EVENTS-A-DAY]]\n");
        return 2;
    }
    const std::filesystem::path file = std::filesystem::path(argv[1]) / "day.teal";
    Json written;
    if (!std::filesystem::exists(file)) {
        const std::int64_t hours = argc > 2 ? std::atoll(argv[2]) : 24;
        eventsADay = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : eventsADay;
        written = millis([&] { generate(file, hours); });
    }
    Json figures = measure(file);
    figures["generate_ms"] = written;
    fmt::print("{}\n", dumpJson(figures));
    return 0;
}
