// SPDX-License-Identifier: GPL-3.0-or-later
// Kills, flipped bits and hostile files, with seeds that are printed.
#include "core/recording/database.h"
#include "core/recording/pack.h"
#include "core/util/clock.h"
#include "tests/core/recording_fixture.h"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <poll.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace tealdeck;
using namespace tealdeck::testing_recording;

namespace {

/// A long run asks for more than the every-day one, by a variable of the environment.
int numberFrom(const char* variable, int otherwise) {
    const char* given = std::getenv(variable);
    return given != nullptr ? std::max(1, std::atoi(given)) : otherwise;
}
const int KILLS = numberFrom("TEALDECK_TEST_KILLS", 60);
const int MUTANTS = numberFrom("TEALDECK_TEST_MUTANTS", 2000);

std::uint64_t seedOfThisRun() {
    const char* given = std::getenv("TEALDECK_TEST_SEED");
    const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    fmt::print("TEALDECK_TEST_SEED={}\n", seed);
    return seed;
}

/// Appends for ever and tells the pipe the number of each durable record, once append() has said that it is on disk.
[[noreturn]] void writeUntilKilled(const std::filesystem::path& path, int pipe, std::uint64_t seed) {
    auto writer = std::filesystem::exists(path) ? RecordingWriter::reopen(path) : RecordingWriter::create(path, META);
    if (!writer) {
        fmt::print(stderr, "{}\n", writer.error().text());
        ::_exit(1);
    }
    Random random(seed);
    for (std::uint64_t seq = (*writer)->lastSeq() + 1;; ++seq) {
        Event event = random() % 3 == 0 ? intent(seq) : note(seq);
        event.body["padding"] = std::string(random() % 3000, 'x');
        Event seal; // keyframes are written in between as in an engine
        const bool sealed = event.kind == EventKind::Note && (*writer)->sealDue();
        if (!(sealed ? (*writer)->appendSealed(event, seal) : (*writer)->append(event)).ok()) {
            ::_exit(2);
        }
        seq += seal.seq != 0 ? 1 : 0;
        if (event.kind == EventKind::Intent && ::write(pipe, &seq, sizeof seq) != sizeof seq) {
            ::_exit(3);
        }
    }
}

struct Killed {
    std::vector<std::uint64_t> acknowledged;
    int status = 0;
};

/// Runs a writer and kills it after some acknowledgements and a random moment more.
Killed runAndKill(const std::filesystem::path& path, Random& random) {
    int pipe[2];
    EXPECT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
    const std::uint64_t seed = random();
    const pid_t child = ::fork();
    if (child == 0) {
        writeUntilKilled(path, pipe[1], seed);
    }
    ::close(pipe[1]);
    Killed result;
    std::uint64_t seq = 0;
    const std::size_t wanted = random() % 12;
    while (result.acknowledged.size() < wanted && ::read(pipe[0], &seq, sizeof seq) == sizeof seq) {
        result.acknowledged.push_back(seq);
    }
    const auto moment = std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 8000);
    while (std::chrono::steady_clock::now() < moment) {
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, &result.status, 0);
    while (::read(pipe[0], &seq, sizeof seq) == sizeof seq) {
        result.acknowledged.push_back(seq);
    }
    ::close(pipe[0]);
    return result;
}

/// Everything that was acknowledged is there, and the chain is whole.
void expectAllThere(const std::filesystem::path& path, const std::vector<std::uint64_t>& acknowledged) {
    auto reader = RecordingReader::open(path);
    ASSERT_TRUE(reader.ok()) << reader.error().text();
    auto report = (*reader)->verify();
    ASSERT_TRUE(report.ok() && report->ok) << (report.ok() ? report->reason : report.error().text());
    auto events = (*reader)->all();
    ASSERT_TRUE(events.ok()) << events.error().text();
    for (const std::uint64_t seq : acknowledged) {
        ASSERT_LE(seq, events->size()) << "an acknowledged record is lost";
        ASSERT_EQ((*events)[seq - 1].body.value("detail", ""), std::to_string(seq));
    }
}

TEST(RecordingDamage, loses_no_acknowledged_record_when_the_writer_is_killed) {
    constexpr int KILLS_A_FILE = 20; // each is read as a whole after each kill
    const Folder folder;
    Random random(seedOfThisRun());
    std::size_t total = 0;
    for (int i = 0; i < KILLS;) {
        const auto path = folder.path / "a.teal";
        std::filesystem::remove(path);
        std::filesystem::remove(path.string() + "-wal");
        { // so that the file exists whenever the first kill strikes
            auto writer = RecordingWriter::create(path, META);
            ASSERT_TRUE(writer.ok());
        }
        std::vector<std::uint64_t> acknowledged;
        for (int of = 0; of < KILLS_A_FILE && i < KILLS; ++of, ++i) {
            const Killed killed = runAndKill(path, random);
            ASSERT_TRUE(WIFSIGNALED(killed.status)) << "the writer failed by itself: " << WEXITSTATUS(killed.status);
            acknowledged.insert(acknowledged.end(), killed.acknowledged.begin(), killed.acknowledged.end());
            expectAllThere(path, acknowledged);
            ASSERT_FALSE(HasFatalFailure()) << "after kill " << i;
        }
        total += acknowledged.size();
    }
    EXPECT_GT(total, static_cast<std::size_t>(KILLS));
    fmt::print("{} kills, {} acknowledged records, none lost\n", KILLS, total);
}

TEST(RecordingDamage, keeps_what_a_full_disk_refused_and_writes_it_later_in_its_place) {
    const Folder folder;
    const auto path = folder.path / "a.teal";
    auto writer = RecordingWriter::create(path, META);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->append(intent(1)).ok());
    // A limit on the size of files stands in for a full disk: the log cannot grow.
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    rlimit tight = before;
    tight.rlim_cur = 40'000;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
    std::uint64_t seq = 1;
    Status last;
    while (last && seq < 100) {
        Event event = intent(++seq);
        event.body["padding"] = std::string(5000, 'x');
        last = (*writer)->append(event);
    }
    const std::uint64_t refused = seq;
    const Status still = (*writer)->append(intent(++seq));
    const Status unimportant = (*writer)->append(note(++seq));
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_LT(refused, 100U);
    EXPECT_FALSE(still.ok()) << "no record, no action";
    EXPECT_TRUE(unimportant.ok());
    EXPECT_TRUE((*writer)->append(intent(++seq)).ok()) << "there is space again";
    ASSERT_TRUE((*writer)->close().ok());
    const VerifyReport report = verified(path);
    EXPECT_TRUE(report.ok) << report.reason;
    EXPECT_EQ(report.records, seq + 1);
}

std::string bytesOf(const std::filesystem::path& path) {
    return readFile(path).valueOr("");
}

void writeBytes(const std::filesystem::path& path, const std::string& bytes) {
    // Thousands of files: no fsync for each.
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(file.good()) << systemReason(errno);
}

std::vector<Json> eventsOf(const std::filesystem::path& path) {
    std::vector<Json> events;
    auto reader = RecordingReader::open(path);
    if (reader) {
        const Status ignored = (*reader)->read(1, 0, [&](const Event& event) {
            events.push_back(toJson(event));
            return true;
        });
        static_cast<void>(ignored);
    }
    return events;
}

TEST(RecordingDamage, sees_every_flipped_bit_of_a_record) {
    const Folder folder;
    const auto path = folder.path / "a.teal";
    {
        auto writer = RecordingWriter::create(path, META);
        ASSERT_TRUE(writer.ok());
        for (std::uint64_t seq = 1; seq <= 200; ++seq) {
            ASSERT_TRUE((*writer)->append(note(seq)).ok());
        }
        ASSERT_TRUE((*writer)->close().ok());
    }
    const std::string whole = bytesOf(path);
    Random random(seedOfThisRun());
    for (int i = 0; i < 400; ++i) {
        // salt (16) before the body and the hash (32) after it: each bit of these belongs to the record.
        const std::string body = std::string(1, PACKED) + pack(note(1 + random() % 200).body);
        const std::size_t at = whole.find(body);
        ASSERT_NE(at, std::string::npos);
        const std::size_t position = at - 16 + random() % (16 + body.size() + 32);
        std::string flipped = whole;
        flipped[position] = static_cast<char>(flipped[position] ^ (1 << (random() % 8)));
        const auto copy = folder.path / "copy.teal";
        writeBytes(copy, flipped);
        ASSERT_FALSE(verified(copy).ok) << "bit flip at byte " << position << " of " << body;
    }
}

TEST(RecordingDamage, shows_the_original_or_nothing_after_a_flip_anywhere) {
    const Folder folder;
    const auto path = makeRecording(folder.path / "a.teal", 60);
    const std::vector<Json> original = eventsOf(path);
    const std::string whole = bytesOf(path);
    Random random(seedOfThisRun());
    int detected = 0;
    for (int i = 0; i < 300; ++i) {
        std::string flipped = whole;
        const std::size_t position = random() % whole.size();
        flipped[position] = static_cast<char>(flipped[position] ^ (1 << (random() % 8)));
        const auto copy = folder.path / "copy.teal";
        writeBytes(copy, flipped);
        if (!verified(copy).ok) {
            ++detected;
            continue;
        }
        ASSERT_EQ(eventsOf(copy), original) << "a flip at byte " << position << " changed what is shown and was not seen";
    }
    EXPECT_GT(detected, 50) << "the rest hit unused space";
}

std::string mutate(const std::string& whole, Random& random) {
    std::string bytes = whole;
    constexpr std::size_t PAGE = 4096;
    for (std::uint64_t change = 0; change <= random() % 3; ++change) {
        const std::size_t at = bytes.empty() ? 0 : random() % bytes.size();
        switch (random() % 6) {
        case 0:
            bytes.resize(at);
            break;
        case 1:
            for (std::size_t i = at; i < std::min(bytes.size(), at + random() % 64); ++i) {
                bytes[i] = static_cast<char>(random());
            }
            break;
        case 2: // the head of a page: kinds, counts and offsets of cells
            for (std::size_t i = at / PAGE * PAGE; i < std::min(bytes.size(), at / PAGE * PAGE + 16); ++i) {
                bytes[i] = random() % 3 == 0 ? static_cast<char>(random()) : bytes[i];
            }
            break;
        case 3: // one page over another
            if (bytes.size() >= 2 * PAGE) {
                const std::size_t pages = bytes.size() / PAGE;
                bytes.replace(random() % pages * PAGE, PAGE, bytes.substr(random() % pages * PAGE, PAGE));
            }
            break;
        case 4: // the header of the file, behind what tells a recording
            bytes[16 + random() % 84 % std::max<std::size_t>(1, bytes.size())] = static_cast<char>(random());
            break;
        default:
            bytes.append(random() % 5000, static_cast<char>(random()));
        }
        if (bytes.size() < 101) {
            return bytes;
        }
    }
    return bytes;
}

TEST(RecordingDamage, refuses_hostile_files_or_reads_a_sound_prefix) {
    const Folder folder;
    const auto path = makeRecording(folder.path / "a.teal", 120);
    const std::vector<Json> original = eventsOf(path);
    const std::string whole = bytesOf(path);
    Random random(seedOfThisRun());
    int refused = 0;
    int sound = 0;
    for (int i = 0; i < MUTANTS; ++i) {
        const auto copy = folder.path / "copy.teal";
        const auto log = folder.path / "copy.teal-wal";
        writeBytes(copy, mutate(whole, random));
        if (i % 5 == 0) {
            std::string noise(random() % 9000, '\0');
            for (char& byte : noise) {
                byte = static_cast<char>(random());
            }
            noise.replace(0, std::min<std::size_t>(noise.size(), 4),
                          std::string("\x37\x7f\x06\x82", std::min<std::size_t>(noise.size(), 4)));
            writeBytes(log, noise);
        } else {
            std::filesystem::remove(log);
        }
        auto reader = RecordingReader::open(copy);
        if (!reader) {
            ++refused;
            continue;
        }
        const auto report = (*reader)->verify();
        const auto info = (*reader)->info();
        const std::vector<Json> shown = eventsOf(copy);
        if (report.ok() && report->ok) {
            ++sound;
            ASSERT_LE(shown.size(), original.size()) << "mutant " << i;
            ASSERT_TRUE(std::equal(shown.begin(), shown.end(), original.begin())) << "mutant " << i << " verifies but shows something else";
        }
    }
    // Each refusal closed what it had opened.
    const auto open = std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
    EXPECT_LT(open, 100);
    fmt::print("{} mutants: {} refused, {} sound prefixes\n", MUTANTS, refused, sound);
    EXPECT_GT(refused, 100);
}

TEST(RecordingDamage, a_hardened_database_only_reads_the_tables_of_a_recording) {
    const Folder folder;
    auto opened = Database::open((folder.path / "a.db").string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "a");
    ASSERT_TRUE(opened.ok());
    Database& database = **opened;
    ASSERT_TRUE(database.exec("CREATE TABLE record(seq INTEGER PRIMARY KEY); CREATE TABLE other(a); INSERT INTO record VALUES (1)").ok());
    ASSERT_TRUE(database.exec("CREATE TRIGGER t AFTER INSERT ON record BEGIN DELETE FROM other; END; CREATE VIEW v AS SELECT 1").ok());
    database.harden();
    database.allowOnlyReading();
    for (const char* fine : {"SELECT seq FROM record ORDER BY seq", "SELECT count(*) FROM record", "PRAGMA user_version",
                             "SELECT seq FROM (SELECT seq FROM record LIMIT 1) UNION ALL SELECT seq FROM record",
                             "PRAGMA integrity_check(1)", "SELECT type, sql FROM sqlite_schema"}) {
        EXPECT_TRUE(database.prepare(fine).ok()) << fine;
    }
    for (const char* bad :
         {"INSERT INTO record VALUES (2)", "DELETE FROM record", "UPDATE record SET seq = 2", "SELECT a FROM other", "SELECT * FROM v",
          "CREATE TABLE x(a)", "DROP TABLE record", "ATTACH 'b.db' AS b", "PRAGMA writable_schema = ON", "PRAGMA user_version = 7",
          "PRAGMA query_only = OFF", "SELECT load_extension('x')", "SELECT randomblob(1000000000)",
          "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r", "BEGIN"}) {
        EXPECT_FALSE(database.prepare(bad).ok()) << bad;
    }
}

} // namespace
