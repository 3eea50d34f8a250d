// SPDX-License-Identifier: GPL-3.0-or-later
// A report as others see it: through a validator, in a browser, and printed by one. The programs are among the packages of tests/setup.sh;
// where there is no Debian they may be missing.
#include "core/review/compare.h"
#include "core/util/process.h"
#include "tests/core/recording_fixture.h"

#include <gmock/gmock.h>
#include <set>
#include <sstream>

using namespace tealdeck;
using namespace tealdeck::review;
using namespace tealdeck::testing_recording;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace {

bool there(const char* program) {
    const auto found = runProcess({{"sh", "-c", std::string("command -v ") + program}, {}, {}, {}}, Deadline(Millis(20'000)));
    return found && found->exitCode == 0;
}

std::string real(const char* name) {
    return std::string(TEALDECK_SOURCE_DIR "/tests/data/") + name + ".teal";
}

/// A recording that somebody made to do harm to who reads its report.
std::filesystem::path hostile(const Folder& folder) {
    const std::filesystem::path path = folder.path / "evil.teal";
    const std::string evil = "</title></style><script>document.title='caught'</script><img src=x onerror=\"document.title='caught'\"> "
                             "\u202Egnp. =cmd|'/c calc'!A1 &amp;&#60; ]]> --> \x01 end";
    auto writer = RecordingWriter::create(path, META);
    EXPECT_TRUE(writer.ok());
    std::uint64_t seq = 0;
    for (const EventKind kind : {EventKind::Session, EventKind::Note, EventKind::Operator, EventKind::Alarm, EventKind::Outcome,
                                 EventKind::Switch, EventKind::Prompt, EventKind::Answer}) {
        Event event = note(++seq);
        event.kind = kind;
        event.actor = evil.substr(0, 60);
        event.body = {{"deployment", evil}, {"text", evil}, {"command", evil},    {"args", {{"reason", evil}}},
                      {"reply", evil},      {"id", evil},   {"priority", "high"}, {"cause", evil},
                      {"active", true},     {"step", evil}, {"detail", evil},     {"ok", false},
                      {"direction", evil}};
        EXPECT_TRUE((*writer)->append(event).ok());
    }
    EXPECT_TRUE((*writer)->close().ok());
    return path;
}

Document reportOf(const std::filesystem::path& recording) {
    const Result<ReportData> data = gatherReport({recording, {}, {}});
    EXPECT_TRUE(data.ok()) << (data ? "" : data.error().text());
    return data ? makeReport(*data) : Document();
}

std::filesystem::path written(const Folder& folder, const Document& document) {
    const std::filesystem::path file = folder.path / "page.html";
    EXPECT_TRUE(writeFileAtomically(file, toHtml(document)).ok());
    return file;
}

/// Words of up to 20 characters: longer ones are broken where a line ends.
std::set<std::string> wordsOf(const std::string& text) {
    std::set<std::string> words;
    std::istringstream stream(text);
    for (std::string word; stream >> word;) {
        if (word.size() <= 20) {
            words.insert(word);
        }
    }
    return words;
}

std::string allText(const Document& document) {
    std::string text = document.title + " " + document.subtitle;
    for (const Section& section : document.sections) {
        text += " " + section.title;
        for (const Block& block : section.blocks) {
            text += " " + block.text + " " + block.plot.caption;
            for (const std::string& item : block.items) {
                text += " " + item;
            }
            for (const auto& row : block.rows) {
                for (const std::string& cell : row) {
                    text += " " + cell;
                }
            }
        }
    }
    return text;
}

/// Headless, with a profile of its own below the folder; an option more.
ProcessOutcome chromium(const Folder& folder, const std::string& option, const std::filesystem::path& page) {
    const ProcessSpec spec{{"chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                            "--disable-background-networking", "--user-data-dir=" + (folder.path / "profile").string(),
                            "--enable-logging=stderr", "--no-pdf-header-footer", option, "file://" + page.string()},
                           {},
                           {},
                           {}};
    const Result<ProcessOutcome> outcome = runProcess(spec, Deadline(Millis(280'000)));
    EXPECT_TRUE(outcome.ok()) << (outcome ? "" : outcome.error().text());
    EXPECT_THAT(outcome ? outcome->errors : "", Not(HasSubstr("Content Security Policy")))
        << "the page's own policy stops nothing of the page";
    return outcome ? *outcome : ProcessOutcome{};
}

TEST(ReportPages, pass_a_validator) {
    if (!there("tidy")) {
        GTEST_SKIP() << "tidy is not here";
    }
    const Folder folder;
    std::vector<Document> documents{reportOf(hostile(folder))};
    for (const char* name : {"clean-upgrade", "aborted-cutover", "rollback-after-incident"}) {
        documents.push_back(reportOf(real(name)));
    }
    documents.push_back(makeComparison(*gatherReport({real("clean-upgrade"), {}, {}}),
                                       *gatherReport({real("rollback-after-incident"), {}, {}}), DEFAULT_ANCHOR));
    for (const Document& document : documents) {
        const auto outcome = runProcess({{"tidy", "-q", "-e", "-utf8", written(folder, document)}, {}, {}, {}}, Deadline(Millis(60'000)));
        ASSERT_TRUE(outcome.ok());
        EXPECT_EQ(outcome->exitCode, 0) << document.title;
        EXPECT_THAT(outcome->errors, IsEmpty());
    }
    const std::filesystem::path wrong = folder.path / "wrong.html"; // must fail
    ASSERT_TRUE(
        writeFileAtomically(wrong, "<!DOCTYPE html><html><head><title>x</title></head><body><p><table><b></table></body></html>").ok());
    EXPECT_NE(runProcess({{"tidy", "-q", "-e", wrong}, {}, {}, {}}, Deadline(Millis(60'000)))->exitCode, 0);
}

TEST(ReportPages, say_the_same_in_a_browser_and_printed_by_it) {
    if (!there("chromium") || !there("pdftotext")) {
        GTEST_SKIP() << "chromium or pdftotext is not here";
    }
    const Folder folder;
    const Document document = reportOf(real("rollback-after-incident"));
    const std::filesystem::path pdf = folder.path / "printed.pdf";
    chromium(folder, "--print-to-pdf=" + pdf.string(), written(folder, document));
    const auto text = runProcess({{"pdftotext", "-enc", "UTF-8", pdf.string(), "-"}, {}, {}, {}}, Deadline(Millis(60'000)));
    ASSERT_TRUE(text.ok() && text->exitCode == 0) << (text ? text->errors : text.error().text());
    const std::set<std::string> printed = wordsOf(text->output);
    std::string missing;
    const std::set<std::string> wanted = wordsOf(allText(document));
    ASSERT_GT(wanted.size(), 300U);
    for (const std::string& word : wanted) {
        missing += printed.count(word) == 0 ? word + " " : "";
    }
    EXPECT_THAT(missing, IsEmpty());
}

TEST(ReportPages, run_nothing_that_a_recording_holds) {
    if (!there("chromium")) {
        GTEST_SKIP() << "chromium is not here";
    }
    const Folder folder;
    const ProcessOutcome shown = chromium(folder, "--dump-dom", written(folder, reportOf(hostile(folder))));
    EXPECT_THAT(shown.output, HasSubstr("What happened?"));
    EXPECT_THAT(shown.output, Not(HasSubstr("<title>caught")));
    EXPECT_THAT(shown.output, Not(HasSubstr("<script")));
    EXPECT_THAT(shown.output, Not(HasSubstr("<img")));
}

} // namespace
