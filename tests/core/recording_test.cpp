// SPDX-License-Identifier: GPL-3.0-or-later
// The recording: what was acknowledged is there after any kill, what was changed is seen, and no file can hurt the reader.
#include "core/recording/export.h"
#include "core/recording/reader.h"
#include "core/recording/writer.h"
#include "core/util/files.h"
#include "tests/core/recording_fixture.h"

#include <atomic>
#include <cstring>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <thread>

using namespace tealdeck;
using namespace tealdeck::testing_recording;

namespace {

TEST(Recording, gives_back_what_was_appended) {
    const Folder folder;
    const auto path = folder.path / "deep" / "a.teal";
    std::vector<Event> written;
    std::string head;
    {
        auto writer = RecordingWriter::create(path, META);
        ASSERT_TRUE(writer.ok()) << writer.error().text();
        Random random(1);
        for (std::uint64_t seq = 1; seq <= 500; ++seq) {
            written.push_back(randomEvent(random, seq));
            ASSERT_TRUE((*writer)->append(written.back()).ok());
        }
        EXPECT_EQ((*writer)->lastSeq(), 500U);
        EXPECT_EQ((*writer)->lastSteadyUs(), written.back().steadyUs);
        head = (*writer)->headHash();
        ASSERT_TRUE((*writer)->close().ok());
        EXPECT_FALSE((*writer)->append(randomEvent(random, 502)).ok());
    }
    struct stat found {};
    ASSERT_EQ(::stat(path.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0400U);
    EXPECT_FALSE(std::filesystem::exists(path.string() + "-wal"));

    auto reader = RecordingReader::open(path);
    ASSERT_TRUE(reader.ok()) << reader.error().text();
    auto events = (*reader)->all();
    ASSERT_TRUE(events.ok()) << events.error().text();
    ASSERT_EQ(events->size(), 501U) << "the seal is the last record";
    for (std::size_t i = 0; i < written.size(); ++i) {
        ASSERT_EQ(toJson((*events)[i]), toJson(written[i]));
    }
    EXPECT_EQ(events->back().kind, EventKind::Seal);
    EXPECT_EQ(events->back().body["head"], head);
    auto report = (*reader)->verify();
    ASSERT_TRUE(report.ok());
    EXPECT_TRUE(report->ok) << report->reason;
    EXPECT_EQ(report->records, 501U);
    auto info = (*reader)->info();
    ASSERT_TRUE(info.ok());
    EXPECT_TRUE(info->closed);
    EXPECT_EQ(info->meta, META);
    EXPECT_EQ(info->records, 501U);
    EXPECT_EQ(info->firstWallUs, written.front().wallUs);
    EXPECT_EQ(info->headHash, report->headHash);
    ASSERT_TRUE(info->verified.has_value());
    EXPECT_TRUE(info->verified->ok);
}

TEST(Recording, is_never_written_over_nor_reopened_once_finished) {
    const Folder folder;
    const auto path = folder.path / "a.teal";
    auto writer = RecordingWriter::create(path, META);
    ASSERT_TRUE(writer.ok());
    EXPECT_FALSE(RecordingWriter::create(path, META).ok());
    EXPECT_FALSE(RecordingWriter::reopen(path).ok()) << "a second writer must be refused while the first one is there";
    ASSERT_TRUE((*writer)->close().ok());
    EXPECT_TRUE((*writer)->close().ok());
    EXPECT_FALSE(RecordingWriter::reopen(path).ok());
    ::chmod(path.c_str(), 0600);
    EXPECT_FALSE(RecordingWriter::reopen(path).ok()) << "the closing seal counts, not only the mode";
    std::filesystem::create_symlink(path, folder.path / "link.teal");
    EXPECT_FALSE(RecordingReader::open(folder.path / "link.teal").ok());
}

TEST(Recording, refuses_holes_in_the_numbering) {
    const Folder folder;
    auto writer = RecordingWriter::create(folder.path / "a.teal", META);
    ASSERT_TRUE(writer.ok());
    EXPECT_FALSE((*writer)->append(note(2)).ok());
    EXPECT_TRUE((*writer)->append(note(1)).ok());
    EXPECT_FALSE((*writer)->append(note(1)).ok());
    EXPECT_FALSE((*writer)->append(note(3)).ok());
    EXPECT_TRUE((*writer)->append(note(2)).ok());
}

TEST(Recording, durable_records_are_on_disk_at_once_and_the_others_soon) {
    const Folder folder;
    const auto path = folder.path / "a.teal";
    auto writer = RecordingWriter::create(path, META);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->append(note(1)).ok());
    ASSERT_TRUE((*writer)->append(intent(2)).ok());
    EXPECT_EQ(countRecords(path), 2U) << "a durable record takes those before it along";
    ASSERT_TRUE((*writer)->append(note(3)).ok());
    const Deadline deadline(Millis(5000));
    while (countRecords(path) < 3 && !deadline.passed()) {
        std::this_thread::yield();
    }
    EXPECT_EQ(countRecords(path), 3U);
}

TEST(Recording, takes_appends_from_several_threads) {
    const Folder folder;
    const auto path = folder.path / "a.teal";
    auto writer = RecordingWriter::create(path, META);
    ASSERT_TRUE(writer.ok());
    std::mutex numbering;
    std::atomic<int> failures{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 200; ++i) {
                // Numbers are given under the engine's own lock; hashes and flushes may be asked for at any time.
                const std::lock_guard lock(numbering);
                const std::uint64_t seq = (*writer)->lastSeq() + 1;
                failures += (*writer)->append(i % 20 == t ? intent(seq) : note(seq)).ok() ? 0 : 1;
            }
        });
    }
    threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) {
            failures += (*writer)->flush().ok() && (*writer)->headHash().size() == 64 ? 0 : 1;
        }
    });
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(failures, 0);
    ASSERT_TRUE((*writer)->close().ok());
    EXPECT_EQ(verified(path).records, 801U);
}

TEST(Recording, can_be_read_while_it_is_written) {
    const Folder folder;
    const auto path = folder.path / "a.teal";
    auto writer = RecordingWriter::create(path, META);
    ASSERT_TRUE(writer.ok());
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> acknowledged{0};
    std::thread thread([&] {
        // Enough for the log to be folded into the file and started anew several times.
        for (std::uint64_t seq = 1; seq <= 4000; ++seq) {
            Event event = seq % 10 == 0 ? intent(seq) : note(seq);
            event.body["padding"] = std::string(4000, 'x');
            if (!(*writer)->append(event).ok()) {
                break;
            }
            acknowledged = event.kind == EventKind::Intent ? seq : acknowledged.load();
        }
        done = true;
    });
    int read = 0;
    while (!done) {
        const std::uint64_t before = acknowledged;
        auto reader = RecordingReader::open(path);
        if (!reader && reader.error().kind == Error::Kind::Unavailable) {
            continue; // changed too fast: said so, and not taken for broken
        }
        EXPECT_TRUE(reader.ok()) << reader.error().text();
        auto report = reader ? (*reader)->verify() : Result<VerifyReport>(VerifyReport());
        EXPECT_TRUE(report.ok() && report->ok) << (report.ok() ? report->reason : report.error().text());
        EXPECT_GE(report.valueOr(VerifyReport()).records, before);
        ++read;
    }
    thread.join();
    EXPECT_EQ(acknowledged, 4000U);
    EXPECT_GT(read, 0);
}

TEST(Recording, finds_a_moment_by_halving) {
    const Folder folder;
    const auto path = folder.path / "a.teal";
    auto writer = RecordingWriter::create(path, META);
    ASSERT_TRUE(writer.ok());
    std::vector<std::int64_t> times;
    Random random(7);
    for (std::uint64_t seq = 1; seq <= 300; ++seq) {
        Event event = note(seq);
        event.steadyUs = (times.empty() ? 0 : times.back()) + static_cast<std::int64_t>(random() % 3) * 1000;
        times.push_back(event.steadyUs);
        ASSERT_TRUE((*writer)->append(event).ok());
    }
    ASSERT_TRUE((*writer)->flush().ok());
    auto reader = RecordingReader::open(path);
    ASSERT_TRUE(reader.ok());
    for (std::int64_t t = -500; t < times.back() + 2000; t += 500) {
        const auto expected = static_cast<std::uint64_t>(std::upper_bound(times.begin(), times.end(), t) - times.begin());
        ASSERT_EQ((*reader)->seqAt(t).valueOr(999), expected) << t;
    }
}

void expectEachChangeIsSeen(const std::filesystem::path& path, const std::vector<const char*>& changes) {
    for (const char* sql : changes) {
        const auto copy = path.parent_path() / "copy.teal";
        std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing);
        change(copy, sql);
        const VerifyReport broken = verified(copy);
        EXPECT_FALSE(broken.ok) << sql;
        EXPECT_EQ(broken.brokenAtSeq, 30U) << sql;
    }
}

TEST(Recording, of_version_1_verifies_after_a_body_was_redacted_and_never_after_it_was_replaced) {
    const Folder folder;
    const auto path = makeRecording(folder.path / "a.teal", 50, 3, 1);
    change(path, "UPDATE record SET salt=NULL, body=NULL WHERE seq=20");
    const VerifyReport report = verified(path);
    EXPECT_TRUE(report.ok) << report.reason;
    EXPECT_EQ(report.redacted, 1U);
    expectEachChangeIsSeen(path, {"UPDATE record SET body=x'7b7d' WHERE seq=30", "UPDATE record SET wall_us=wall_us+1 WHERE seq=30",
                                  "UPDATE record SET t_us=t_us+1 WHERE seq=30", "UPDATE record SET kind=2-kind WHERE seq=30",
                                  "UPDATE record SET salt=zeroblob(16) WHERE seq=30", "UPDATE record SET leaf=zeroblob(32) WHERE seq=30",
                                  "UPDATE record SET hash=zeroblob(32) WHERE seq=30", "DELETE FROM record WHERE seq=30"});
    change(path, "UPDATE actor SET name=name||'x' WHERE id=1");
    EXPECT_FALSE(verified(path).ok);
}

TEST(Recording, never_verifies_after_a_record_or_an_actor_was_replaced) {
    const Folder folder;
    const auto path = makeRecording(folder.path / "a.teal", 50);
    ASSERT_TRUE(verified(path).ok) << verified(path).reason;
    expectEachChangeIsSeen(path,
                           {"UPDATE record SET body=x'7b7d' WHERE seq=30", "UPDATE record SET wall_us=wall_us+1 WHERE seq=30",
                            "UPDATE record SET t_us=t_us+1 WHERE seq=30", "UPDATE record SET t_us=t_us-1000000 WHERE seq=30",
                            "UPDATE record SET kind=2-kind WHERE seq=30", "UPDATE record SET salt=zeroblob(16) WHERE seq=30",
                            "UPDATE record SET leaf=zeroblob(32) WHERE seq=30", "UPDATE record SET hash=zeroblob(32) WHERE seq=30",
                            "UPDATE record SET salt=NULL, body=NULL WHERE seq=30",
                            "UPDATE record SET salt=NULL, body=NULL, leaf=zeroblob(32) WHERE seq=30", "DELETE FROM record WHERE seq=30"});
    for (const char* sql :
         {"UPDATE actor SET name=name||'x' WHERE id=1", "UPDATE actor SET name=NULL, salt=NULL, leaf=zeroblob(32)",
          "UPDATE keyframe SET body=CAST(body||'x' AS BLOB)", "DELETE FROM keyframe", "INSERT INTO pyramid VALUES('x', 0, 1, x'00')"}) {
        const auto copy = folder.path / "copy.teal";
        std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing);
        change(copy, sql);
        EXPECT_EQ(verified(copy).ok, std::string(sql) == "DELETE FROM keyframe") << sql;
    }
}

TEST(Recording, notices_a_change_of_what_it_says_about_itself) {
    const Folder folder;
    for (const std::uint32_t version : {1U, 2U}) {
        const auto path = makeRecording(folder.path / fmt::format("{}.teal", version), 5, 3, version);
        change(path, "UPDATE meta SET value='other' WHERE key='deployment'");
        EXPECT_EQ(verified(path).brokenAtSeq, 1U);
    }
}

TEST(Recording, refuses_files_with_another_schema) {
    const Folder folder;
    for (const char* sql :
         {"CREATE VIEW v AS SELECT 1", "CREATE TABLE more(a)", "CREATE TRIGGER t AFTER INSERT ON record BEGIN SELECT 1; END",
          "CREATE INDEX i ON record(kind)", "ALTER TABLE record ADD COLUMN extra TEXT", "PRAGMA application_id=1", "PRAGMA user_version=1",
          "PRAGMA user_version=3", "DROP TABLE actor", "DROP TABLE pyramid"}) {
        const auto path = makeRecording(folder.path / (sha256Hex(sql) + ".teal"), 5);
        change(path, sql);
        const auto reader = RecordingReader::open(path);
        ASSERT_FALSE(reader.ok()) << sql;
        EXPECT_EQ(reader.error().kind, Error::Kind::Invalid) << reader.error().text();
    }
}

TEST(Recording, exports_lines_that_are_no_formulas) {
    Event event = note(1);
    event.actor = "=cmd|' /C calc'!A0";
    event.body["text"] = "a \"quote\"\nand a line";
    const std::string line = csvLine(event);
    EXPECT_NE(line.find("\"'=cmd"), std::string::npos) << line;
    EXPECT_NE(line.find("\"\"quote\"\""), std::string::npos) << line;
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    const auto back = parseJson(ndjsonLine(event));
    ASSERT_TRUE(back);
    EXPECT_EQ(toJson(*eventFromJson(*back)), toJson(event));
}

} // namespace
