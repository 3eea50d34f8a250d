// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/recording/reader.h"
#include "core/recording/writer.h"
#include "core/util/clock.h"
#include "core/util/files.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <random>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

/// What the tests of the recording share.
namespace tealdeck::testing_recording {

using Random = std::mt19937_64;

inline const std::map<std::string, std::string> META{
    {"deployment", "shop"}, {"recording_id", "r-1"}, {"plan_sha256", "00"}, {"tool", "test"}};

/// In memory where that is possible: what is tested here needs no disk, and a wait for one at each durable record takes most of the time.
inline std::filesystem::path temporaryFolder() {
    return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : std::filesystem::temp_directory_path();
}

/// A folder of this test's own.
struct Folder {
    std::filesystem::path path = temporaryFolder() / ("tealdeck-test-" + randomHex(6));
    Folder() { std::filesystem::create_directories(path); }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
};

inline Event note(std::uint64_t seq) {
    return {seq,      static_cast<std::int64_t>(seq) * 1000,    1'700'000'000'000'000 + static_cast<std::int64_t>(seq), EventKind::Note,
            "engine", {{"text", "line " + std::to_string(seq)}}};
}

inline Event intent(std::uint64_t seq) {
    Event event = note(seq);
    event.kind = EventKind::Intent;
    event.body = {{"step", "cutover.fence"}, {"detail", std::to_string(seq)}};
    return event;
}

inline Event randomEvent(Random& random, std::uint64_t seq) {
    Event event = note(seq);
    event.kind = static_cast<EventKind>(1 + random() % 23);
    event.actor = random() % 3 == 0 ? "anna" : "engine";
    event.body["number"] = static_cast<std::int64_t>(random());
    event.body["text"] = std::string(random() % 200, static_cast<char>('a' + random() % 26));
    return event;
}

/// A finished recording with some random events, made writable so that tests can damage it.
inline std::filesystem::path makeRecording(const std::filesystem::path& path, std::uint64_t events, std::uint64_t seed = 3,
                                           std::uint32_t version = schema::USER_VERSION) {
    auto writer = RecordingWriter::create(path, META, version);
    EXPECT_TRUE(writer.ok());
    Random random(seed);
    for (std::uint64_t seq = 1; seq <= events; ++seq) {
        Event event = randomEvent(random, seq);
        event.kind = isDurableKind(event.kind) && seq % 10 != 0 ? EventKind::Note : event.kind; // fewer waits for the disk
        EXPECT_TRUE((*writer)->append(event).ok());
    }
    EXPECT_TRUE((*writer)->close().ok());
    ::chmod(path.c_str(), 0600);
    return path;
}

/// Changes a file behind the program's back.
inline void change(const std::filesystem::path& path, const char* sql) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
    sqlite3_close(handle);
}

inline VerifyReport verified(const std::filesystem::path& path) {
    auto reader = RecordingReader::open(path);
    if (!reader) {
        VerifyReport refused;
        refused.reason = reader.error().text();
        return refused;
    }
    auto report = (*reader)->verify();
    EXPECT_TRUE(report.ok());
    return report.valueOr(VerifyReport());
}

inline std::uint64_t countRecords(const std::filesystem::path& path) {
    auto reader = RecordingReader::open(path);
    return reader ? (*reader)->info().valueOr(RecordingInfo()).records : 0;
}

} // namespace tealdeck::testing_recording
