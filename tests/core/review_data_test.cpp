// SPDX-License-Identifier: GPL-3.0-or-later
// The real recordings of tests/data: what is known of them must come out, and no part of them may do harm.
#include "core/recording/salvage.h"
#include "core/review/report.h"
#include "tests/core/recording_fixture.h"

#include <gmock/gmock.h>

using namespace tealdeck;
using namespace tealdeck::review;
using testing::HasSubstr;
using testing::Not;

namespace {

std::filesystem::path data(const char* name) {
    return std::filesystem::path(TEALDECK_SOURCE_DIR) / "tests/data" / (std::string(name) + ".teal");
}

ReportData reportOf(const char* name) {
    Result<ReportData> gathered = gatherReport({data(name), {}, {}});
    EXPECT_TRUE(gathered.ok()) << (gathered ? "" : gathered.error().text());
    return gathered ? std::move(gathered).value() : ReportData();
}

std::string answers(const ReportData& report) {
    std::string all;
    for (const Answer& answer : answersOf(report)) {
        for (const std::string& line : answer.lines) {
            all += line + "\n";
        }
    }
    return all;
}

TEST(RealRecordings, are_sound_small_and_name_no_machine_and_no_account) {
    for (const char* name : {"clean-upgrade", "aborted-cutover", "rollback-after-incident"}) {
        const ReportData report = reportOf(name);
        // Only a deployment that is over finishes its recording; the others end where their engine was stopped.
        const bool over = report.measures.endPhase == Phase::Finalized;
        EXPECT_EQ(report.integrity.state, over ? Integrity::State::Verified : Integrity::State::Open)
            << name << ": " << report.integrity.sentence;
        EXPECT_LT(report.info.sizeBytes, std::uintmax_t{2} << 20);
        EXPECT_EQ(report.measures.statementErrors.count("57P01") + report.measures.gaps, 0U);
        auto reader = RecordingReader::open(data(name));
        ASSERT_TRUE(reader.ok());
        static_cast<void>((*reader)->read(1, 0, [&](const Event& event) {
            const std::string text = dumpJson(toJson(event));
            for (const char* path : {"/work", "/home", "/root", "/var/lib"}) {
                EXPECT_THAT(text, Not(HasSubstr(path))) << name;
            }
            return true;
        }));
        for (const std::string& who : report.measures.actors) {
            EXPECT_TRUE(who == "anna" || who == "ben") << who;
        }
    }
}

TEST(RealRecordings, a_clean_upgrade_ends_on_green_for_good) {
    const ReportData report = reportOf("clean-upgrade");
    EXPECT_EQ(report.measures.endPhase, Phase::Finalized);
    ASSERT_EQ(report.measures.switches.size(), 1U);
    EXPECT_TRUE(report.measures.switches[0].report.ok);
    EXPECT_GT(report.measures.switches[0].report.pauseMs, 0);
    EXPECT_EQ(pauseParts(report.measures.switches[0].report).size(), 5U);
    EXPECT_THAT(answers(report), HasSubstr("signed off by the shop team"));
}

TEST(RealRecordings, an_aborted_cutover_left_the_writes_where_they_were) {
    const ReportData report = reportOf("aborted-cutover");
    EXPECT_EQ(report.measures.writesTo, "blue");
    ASSERT_EQ(report.measures.returns.size(), 1U);
    EXPECT_EQ(report.measures.returns[0].command, "abort");
    EXPECT_TRUE(report.measures.returns[0].ok);
    EXPECT_TRUE(report.measures.returns[0].ended);
    const std::string text = answers(report);
    EXPECT_THAT(text, HasSubstr("cutover did NOT happen: Stopped by Abort."));
    EXPECT_THAT(text, HasSubstr("because: GREEN falls behind"));
    EXPECT_THAT(text, HasSubstr("The writes never moved"));
}

TEST(RealRecordings, the_rollback_answers_what_a_review_asks) {
    const ReportData report = reportOf("rollback-after-incident");
    ASSERT_EQ(report.measures.switches.size(), 2U);
    EXPECT_EQ(report.measures.switches[1].report.direction, "rollback");
    EXPECT_EQ(report.measures.endPhase, Phase::RolledBack);
    EXPECT_GE(report.measures.alarmsByPriority.at("medium").acknowledged, 1U);
    const std::string text = answers(report);
    EXPECT_THAT(text, HasSubstr("ben decided \"acknowledge router-silent/pooler-1\""));
    EXPECT_THAT(text, HasSubstr("anna decided \"rollback\", because: orders were slow"));
    EXPECT_THAT(text, HasSubstr("alarm router-silent/pooler-1"));
    EXPECT_THAT(text, HasSubstr("the marker arrived after"));
}

TEST(RealRecordings, any_truncation_is_a_sound_prefix_or_a_refusal) {
    const testing_recording::Folder folder;
    const std::string whole = readFile(data("aborted-cutover")).valueOr("");
    ASSERT_GT(whole.size(), 100'000U);
    testing_recording::Random random(11);
    for (int round = 0; round < 12; ++round) {
        const std::size_t size = round == 0 ? 0 : random() % whole.size();
        const std::filesystem::path torn = folder.path / "torn.teal";
        ASSERT_TRUE(writeFileAtomically(torn, whole.substr(0, size)).ok());
        const Result<ReportData> report = gatherReport({torn, {}, {}});
        EXPECT_TRUE(!report || report->integrity.state == Integrity::State::Broken || report->integrity.state == Integrity::State::Damaged)
            << size;
        const std::filesystem::path saved = folder.path / ("saved-" + std::to_string(round) + ".teal");
        if (salvageRecording(torn, saved)) {
            const Result<ReportData> again = gatherReport({saved, {}, {}});
            ASSERT_TRUE(again.ok()) << again.error().text();
            EXPECT_EQ(again->integrity.state, Integrity::State::Salvaged);
            EXPECT_THAT(toMarkdown(makeReport(*again)), HasSubstr("SALVAGED"));
        }
    }
}

/// Made by the code that still writes version 1, once; every later version has to read it.
TEST(RealRecordings, of_the_first_version_still_open) {
    const ReportData report = reportOf("version-1");
    EXPECT_EQ(report.info.version, 1U);
    EXPECT_EQ(report.integrity.state, Integrity::State::Verified);
    EXPECT_EQ(report.measures.switches.size(), 1U);
    EXPECT_THAT(toHtml(makeReport(report)), HasSubstr("version 1"));
    auto reader = RecordingReader::open(data("version-1"));
    Snapshot played;
    static_cast<void>((*reader)->read(1, 0, [&](const Event& event) {
        apply(played, event);
        return true;
    }));
    EXPECT_EQ(toJson(played), toJson(*(*reader)->snapshotAfter(report.info.records)));
}

/// For tests/data/make: the decisive events of the clean upgrade in a file of version 1.
TEST(RealRecordings, DISABLED_make_version_1) {
    const std::filesystem::path out = data("version-1");
    std::filesystem::remove(out);
    auto writer = RecordingWriter::create(out, testing_recording::META, 1);
    ASSERT_TRUE(writer.ok());
    std::uint64_t seq = 0;
    auto reader = RecordingReader::open(data("clean-upgrade"));
    ASSERT_TRUE(reader.ok());
    static_cast<void>((*reader)->read(1, 0, [&](const Event& event) {
        if (event.kind != EventKind::Statement && event.kind != EventKind::Seal && event.kind != EventKind::Check) {
            Event copy = event;
            copy.seq = ++seq;
            EXPECT_TRUE((*writer)->append(copy).ok());
        }
        return true;
    }));
    ASSERT_TRUE((*writer)->close().ok());
    std::filesystem::remove(out.string() + ".sha256");
    std::filesystem::permissions(out, std::filesystem::perms(0644));
}

} // namespace
