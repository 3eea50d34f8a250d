// SPDX-License-Identifier: GPL-3.0-or-later
// Salvage and redaction: copies that still prove what they say.
#include "core/recording/finish.h"
#include "core/recording/redact.h"
#include "core/recording/salvage.h"
#include "tests/core/random_events.h"
#include "tests/core/recording_fixture.h"

#include <fmt/format.h>
#include <fstream>

using namespace tealdeck;
using testing_random::seedOfThisRun;
using testing_recording::change;
using testing_recording::Folder;
using testing_recording::META;
using testing_recording::Random;
using testing_recording::verified;

namespace {

void writeBytes(const std::filesystem::path& path, const std::string& bytes) {
    std::filesystem::remove(path);
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(file.good());
}

std::vector<Event> eventsOf(const std::filesystem::path& path) {
    auto reader = RecordingReader::open(path);
    EXPECT_TRUE(reader.ok()) << (reader ? "" : reader.error().text());
    return reader ? (*reader)->all().valueOr({}) : std::vector<Event>();
}

/// A recording with bodies of all sizes; `finished` or as a killed writer leaves it, with its log.
std::vector<Event> makeVaried(const std::filesystem::path& path, Random& random, std::uint32_t version, bool finished) {
    auto writer = RecordingWriter::create(path, META, version);
    EXPECT_TRUE(writer.ok());
    while ((*writer)->lastSeq() < 250) {
        Event event = testing_random::randomEvent(random, (*writer)->lastSeq() + 1);
        event.kind = event.kind == EventKind::Seal || isDurableKind(event.kind) ? EventKind::Metrics : event.kind;
        event.steadyUs = static_cast<std::int64_t>(event.seq) * 700'000;
        if (random() % 20 == 0) {
            event.body["padding"] = std::string(random() % 20'000, 'p'); // goes on overflow pages
        }
        Event seal;
        EXPECT_TRUE(((*writer)->sealDue() ? (*writer)->appendSealed(event, seal) : (*writer)->append(event)).ok());
        if (random() % 30 == 0) {
            EXPECT_TRUE((*writer)->flush().ok());
        }
    }
    EXPECT_TRUE((finished ? (*writer)->close() : (*writer)->flush()).ok());
    if (!finished) {
        // What a kill leaves: the file and its log, while the writer still has them open.
        std::filesystem::copy_file(path, path.string() + ".killed");
        std::filesystem::copy_file(path.string() + "-wal", path.string() + ".killed-wal");
    }
    return eventsOf(path);
}

/// The salvaged copy is sound, says what it is, and begins with a prefix of the original. How long that is.
std::size_t expectPrefix(const std::filesystem::path& copy, const SalvageReport& report, const std::vector<Event>& original) {
    const VerifyReport sound = verified(copy);
    EXPECT_TRUE(sound.ok) << sound.reason;
    const std::vector<Event> events = eventsOf(copy);
    EXPECT_GE(events.size(), report.records);
    EXPECT_LE(report.records, original.size());
    for (std::size_t i = 0; i < report.records && i < events.size() && i < original.size(); ++i) {
        EXPECT_EQ(toJson(events[i]), toJson(original[i]));
    }
    EXPECT_EQ(report.complete ? report.records : report.records + 2, events.size()) << "the gap and the closing seal";
    auto reader = RecordingReader::open(copy);
    const RecordingInfo info = (*reader)->info().valueOr(RecordingInfo());
    EXPECT_TRUE(info.closed);
    EXPECT_EQ(info.salvaged.empty(), report.complete);
    Snapshot played;
    for (const Event& event : events) {
        apply(played, event);
    }
    EXPECT_EQ(toJson((*reader)->snapshotAfter(events.size()).valueOr(Snapshot())), toJson(played));
    return report.records;
}

TEST(RecordingSalvage, any_truncation_gives_a_sound_prefix_or_a_clear_refusal) {
    Random random(seedOfThisRun());
    std::size_t refused = 0;
    std::size_t longest = 0;
    for (const std::uint32_t version : {1U, 2U}) {
        const Folder folder;
        const auto path = folder.path / "a.teal";
        const auto cut = folder.path / "cut.teal";
        const std::vector<Event> original = makeVaried(path, random, version, true);
        const std::string whole = readFile(path).valueOr("");
        for (int i = 0; i < 120; ++i) {
            const std::size_t size = i == 0 ? whole.size() : i == 1 ? 0 : random() % whole.size();
            writeBytes(cut, whole.substr(0, size));
            const auto out = folder.path / fmt::format("out-{}.teal", i);
            const auto report = salvageRecording(cut, out);
            EXPECT_EQ(readFile(cut).valueOr("x"), whole.substr(0, size)) << "the source was written to";
            if (!report) {
                ++refused;
                EXPECT_EQ(report.error().kind, Error::Kind::Invalid) << report.error().text();
                EXPECT_FALSE(std::filesystem::exists(out));
                continue;
            }
            EXPECT_EQ(report->complete, i == 0 || report->records == original.size());
            longest = std::max(longest, expectPrefix(out, *report, original));
        }
    }
    EXPECT_GT(longest, 200U);
    EXPECT_LT(refused, 200U);
    fmt::print("240 truncations, {} refused\n", refused);
}

TEST(RecordingSalvage, a_killed_writers_log_counts_wherever_it_ends) {
    Random random(seedOfThisRun());
    const Folder folder;
    const auto path = folder.path / "a.teal";
    const std::vector<Event> original = makeVaried(path, random, 2, false);
    const std::string log = readFile(path.string() + ".killed-wal").valueOr("");
    const std::string file = readFile(path.string() + ".killed").valueOr("");
    std::size_t most = 0;
    for (int i = 0; i < 60; ++i) {
        const auto cut = folder.path / "cut.teal";
        writeBytes(cut, file);
        writeBytes(cut.string() + "-wal", log.substr(0, i == 0 ? log.size() : random() % log.size()));
        const auto out = folder.path / fmt::format("out-{}.teal", i);
        if (const auto report = salvageRecording(cut, out)) {
            most = std::max(most, expectPrefix(out, *report, original));
        }
    }
    EXPECT_EQ(most, original.size()) << "the whole log";
}

TEST(RecordingSalvage, damage_in_the_middle_ends_the_prefix_there) {
    Random random(seedOfThisRun());
    const Folder folder;
    const auto path = folder.path / "a.teal";
    const std::vector<Event> original = makeVaried(path, random, 2, true);
    const std::string whole = readFile(path).valueOr("");
    std::size_t salvaged = 0;
    for (int i = 0; i < 150; ++i) {
        std::string hurt = whole;
        for (std::uint64_t hits = 0; hits <= random() % 3; ++hits) {
            const std::size_t at = random() % hurt.size();
            for (std::size_t b = at; b < std::min(hurt.size(), at + 1 + random() % 200); ++b) {
                hurt[b] = static_cast<char>(random());
            }
        }
        const auto cut = folder.path / "cut.teal";
        writeBytes(cut, hurt);
        const auto out = folder.path / fmt::format("out-{}.teal", i);
        if (const auto report = salvageRecording(cut, out)) {
            expectPrefix(out, *report, original);
            ++salvaged;
        }
    }
    EXPECT_GT(salvaged, 60U);
    EXPECT_FALSE(salvageRecording(folder.path / "none.teal", folder.path / "x.teal").ok());
    EXPECT_FALSE(salvageRecording(path, path).ok()) << "never over a file that is there";
    EXPECT_EQ(readFile(path).valueOr(""), whole);
}

std::vector<Event> secretEvents() {
    const auto event = [](EventKind kind, const Json& body, const std::string& actor = "engine") {
        Event one;
        one.kind = kind;
        one.actor = actor;
        one.body = body;
        return one;
    };
    return {
        event(EventKind::Session, {{"deployment", "zebra"}, {"databases", {"giraffe"}}}),
        event(EventKind::Topology, {{"side", "blue"}, {"nodes", {{{"name", "okapi-1"}, {"host", "okapi.example.net"}, {"port", 5432}}}}}),
        event(EventKind::Metrics, {{"values", {{"lag", 12345.678}}}}),
        event(EventKind::Metrics, {{"values", {{"lag", 12346.678}}}}),
        event(EventKind::Note, {{"text", "okapi-1 does not answer"}}),
        event(EventKind::Note, {{"text", "10.1.2.3 does not answer"}}),
        event(EventKind::Note, {{"text", "fe80::1:2 does not answer"}}),
        event(EventKind::Note, {{"text", "at 10:11:12 in version 15.20 all was well"}}),
        event(EventKind::Statement, {{"server", "okapi-1"}, {"text", "select secret_column from giraffe"}}),
        event(EventKind::Operator, {{"command", "cutover"}, {"reply", "as you wish"}}, "quagga"),
        event(EventKind::Outcome, {{"step", "cutover.fence"}, {"ok", true}, {"detail", "GIRAFFE is fenced, says Quagga"}}),
        event(EventKind::Phase, {{"phase", "cutover"}, {"reason", "Moving the writes."}})};
}

std::filesystem::path makeSecret(const std::filesystem::path& path, std::uint32_t version = 2) {
    auto writer = RecordingWriter::create(path, {{"deployment", "zebra"}, {"recording_id", "lion"}, {"tool", "tealdeck test"}}, version);
    EXPECT_TRUE(writer.ok());
    for (Event event : secretEvents()) {
        event.seq = (*writer)->lastSeq() + 1;
        EXPECT_TRUE((*writer)->append(event).ok());
    }
    EXPECT_TRUE((*writer)->close().ok());
    return path;
}

const std::set<RedactionClass> ALL{RedactionClass::Hosts, RedactionClass::Names, RedactionClass::Statements, RedactionClass::Values,
                                   RedactionClass::Texts};

TEST(RecordingRedaction, leaves_no_trace_and_the_same_chain) {
    const Folder folder;
    const auto path = makeSecret(folder.path / "a.teal");
    const auto out = folder.path / "out.teal";
    const std::string head = verified(path).headHash;
    const auto report = redactRecording(path, out, {RedactionClass::Hosts, RedactionClass::Names, RedactionClass::Statements}, {});
    ASSERT_TRUE(report.ok()) << report.error().text();
    const VerifyReport sound = verified(out);
    EXPECT_TRUE(sound.ok) << sound.reason;
    EXPECT_EQ(sound.headHash, head);
    EXPECT_EQ(report->headHash, head);
    EXPECT_EQ(sound.redacted, report->redacted);
    EXPECT_EQ(report->redacted, 7U);
    EXPECT_EQ(report->actors, 1U);
    EXPECT_EQ(report->meta.size(), 2U);
    std::string bytes = readFile(out).valueOr("");
    std::transform(bytes.begin(), bytes.end(), bytes.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const char* secret : {"zebra", "giraffe", "okapi", "10.1.2.3", "fe80", "secret_column", "quagga", "lion"}) {
        EXPECT_EQ(bytes.find(secret), std::string::npos) << secret;
    }
    const std::vector<Event> events = eventsOf(out);
    EXPECT_EQ(events[2].body["values"]["lag"], 12345.678) << "values were not asked to go";
    EXPECT_NE(events[7].body.value("text", ""), "") << "a time of day and a version are no addresses";
    EXPECT_EQ(events[9].actor, "(redacted)");
    EXPECT_EQ(events[11].body["phase"], "cutover");
    auto reader = RecordingReader::open(out);
    EXPECT_EQ((*reader)->snapshotAfter(12)->phase, Phase::Cutover);
    EXPECT_EQ((*reader)->info()->meta["deployment"], "(redacted)");
    EXPECT_EQ((*reader)->info()->meta["tool"], "tealdeck test");
}

TEST(RecordingRedaction, takes_samples_words_and_old_files) {
    const Folder folder;
    const auto path = makeSecret(folder.path / "a.teal");
    const auto some = redactRecording(path, folder.path / "some.teal", {}, {"WISH"});
    ASSERT_TRUE(some.ok());
    EXPECT_EQ(some->redacted, 1U);
    EXPECT_EQ(some->byReason.at("words"), 1U);
    // A difference whose full samples went is gone as well, and nothing breaks.
    ASSERT_TRUE(redactRecording(path, folder.path / "all.teal", ALL, {}).ok());
    EXPECT_TRUE(verified(folder.path / "all.teal").ok);
    EXPECT_TRUE(eventsOf(folder.path / "all.teal")[3].body.contains("redacted"));
    // What was redacted once can be redacted again.
    const auto again = redactRecording(folder.path / "all.teal", folder.path / "again.teal", ALL, {"x1"});
    ASSERT_TRUE(again.ok()) << again.error().text();
    const auto old = redactRecording(makeSecret(folder.path / "old.teal", 1), folder.path / "old-out.teal", ALL, {});
    ASSERT_TRUE(old.ok());
    EXPECT_EQ(old->remarks.size(), 1U);
    EXPECT_TRUE(verified(folder.path / "old-out.teal").ok);
    ::chmod(path.c_str(), 0600);
    change(path, "UPDATE record SET body=x'7b7d' WHERE seq=3");
    EXPECT_FALSE(redactRecording(path, folder.path / "broken.teal", ALL, {}).ok());
    EXPECT_FALSE(std::filesystem::exists(folder.path / "broken.teal"));
}

TEST(RecordingFinish, a_finished_file_has_its_digest_beside_it) {
    const Folder folder;
    const auto path = makeSecret(folder.path / "a.teal");
    const auto digest = fileDigest(path);
    ASSERT_TRUE(digest.ok());
    EXPECT_EQ(*digest, sha256Hex(readFile(path).valueOr("")));
    EXPECT_EQ(notedDigest(path).valueOr({}), *digest);
    EXPECT_EQ(readFile(path.string() + ".sha256").valueOr(""), *digest + "  a.teal\n");
    EXPECT_FALSE(notedDigest(folder.path / "none").valueOr("x"));
    EXPECT_FALSE(fileDigest(folder.path).ok());
}

} // namespace
