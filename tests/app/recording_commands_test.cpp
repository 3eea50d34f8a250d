// SPDX-License-Identifier: GPL-3.0-or-later
// tealctl recording: what it prints, where it writes and how it ends.
#include "core/util/process.h"
#include "tests/core/recording_fixture.h"

#include <fstream>
#include <gmock/gmock.h>

using namespace tealdeck;
using namespace tealdeck::testing_recording;
using testing::HasSubstr;

namespace {

ProcessOutcome recording(std::vector<std::string> arguments) {
    ProcessSpec spec;
    spec.argv = {std::string(TEALDECK_BIN_DIR) + "/tealctl", "recording"};
    spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
    const Result<ProcessOutcome> outcome = runProcess(spec, Deadline(Millis(30'000)));
    EXPECT_TRUE(outcome.ok()) << (outcome ? "" : outcome.error().text());
    return outcome ? *outcome : ProcessOutcome{};
}

Json jsonOf(const ProcessOutcome& outcome) {
    return parseJson(outcome.output).value_or(Json());
}

TEST(RecordingCommands, explain_themselves) {
    for (const char* command : {"info", "verify", "events", "export", "salvage", "redact", "report", "compare", "import"}) {
        const ProcessOutcome help = recording({command, "--help"});
        EXPECT_EQ(help.exitCode, 0);
        EXPECT_THAT(help.output, HasSubstr(std::string("Example: tealctl recording ") + command));
        EXPECT_EQ(recording({command}).exitCode, 2);
    }
}

TEST(RecordingCommands, say_what_a_recording_is_and_whether_it_is_sound) {
    const Folder folder;
    const std::string path = makeRecording(folder.path / "a.teal", 60).string();
    const Json info = jsonOf(recording({"info", path, "--json"}));
    EXPECT_EQ(info["records"], 61);
    EXPECT_EQ(info["format_version"], 2);
    EXPECT_EQ(info["verify"]["ok"], true);
    const ProcessOutcome verify = recording({"verify", path, "--json"});
    EXPECT_EQ(verify.exitCode, 0);
    EXPECT_EQ(jsonOf(verify)["sha256"], jsonOf(verify)["sha256_noted"]);
    EXPECT_EQ(jsonOf(verify)["head"], info["head"]);
    EXPECT_EQ(jsonOf(recording({"verify", path, "--json", "--head", info["head"]}))["anchor_seq"], 61);
    EXPECT_EQ(recording({"verify", path, "--head", std::string(64, '0')}).exitCode, 1) << "another recording";
    change(path, "PRAGMA user_version=2; UPDATE record SET wall_us=0 WHERE seq=7");
    EXPECT_EQ(recording({"info", path}).exitCode, 1);
    const ProcessOutcome broken = recording({"verify", path});
    EXPECT_EQ(broken.exitCode, 1);
    EXPECT_THAT(broken.output, HasSubstr("broken at record 7"));
    EXPECT_THAT(broken.output, HasSubstr("NOT what its .sha256 says"));
    EXPECT_EQ(recording({"verify", (folder.path / "none").string()}).exitCode, 2);
}

TEST(RecordingCommands, export_into_new_private_files_only) {
    const Folder folder;
    const std::string path = makeRecording(folder.path / "a.teal", 20).string();
    const std::string out = (folder.path / "out.ndjson").string();
    EXPECT_EQ(recording({"export", path, "--format", "ndjson", "--out", out}).exitCode, 0);
    const std::string text = readFile(out).valueOr("");
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 21);
    struct stat found {};
    ASSERT_EQ(::stat(out.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0600U);
    EXPECT_EQ(recording({"export", path, "--format", "ndjson", "--out", out}).exitCode, 2) << "never over a file";
    EXPECT_EQ(recording({"export", path, "--format", "xml"}).exitCode, 2);
    EXPECT_THAT(recording({"export", path, "--format", "csv", "--limit", "2"}).output, HasSubstr("seq,time_utc"));
    change(path, "UPDATE record SET wall_us=0 WHERE seq=7");
    const std::string torn = (folder.path / "torn.csv").string();
    EXPECT_EQ(recording({"export", path, "--format", "csv", "--out", torn}).exitCode, 2);
    EXPECT_FALSE(std::filesystem::exists(torn)) << "half an export looks like a whole one";
}

TEST(RecordingCommands, salvage_and_redact_into_sound_copies) {
    const Folder folder;
    const std::string path = makeRecording(folder.path / "a.teal", 300).string();
    const std::string out = (folder.path / "whole.teal").string();
    EXPECT_EQ(recording({"salvage", path, "--out", out}).exitCode, 0) << "nothing is missing";
    EXPECT_EQ(recording({"salvage", path, "--out", out}).exitCode, 2);
    std::filesystem::resize_file(path, std::filesystem::file_size(path) * 2 / 3);
    const std::string saved = (folder.path / "saved.teal").string();
    const ProcessOutcome salvaged = recording({"salvage", path, "--out", saved, "--json"});
    EXPECT_EQ(salvaged.exitCode, 1) << salvaged.errors;
    EXPECT_EQ(jsonOf(salvaged)["complete"], false);
    EXPECT_EQ(recording({"verify", saved}).exitCode, 0);
    EXPECT_THAT(recording({"info", saved}).output, HasSubstr("salvaged     Salvaged from a damaged file"));
    const std::string redacted = (folder.path / "redacted.teal").string();
    const ProcessOutcome done = recording({"redact", saved, "--out", redacted, "--class", "values,names", "--word", "aaaaaa", "--json"});
    EXPECT_EQ(done.exitCode, 0) << done.errors;
    EXPECT_EQ(jsonOf(done)["head"], jsonOf(recording({"verify", saved, "--json"}))["head"]);
    EXPECT_EQ(recording({"verify", redacted}).exitCode, 0);
    EXPECT_EQ(recording({"redact", saved, "--out", redacted + "2", "--class", "secrets"}).exitCode, 2);
    EXPECT_FALSE(std::filesystem::exists(redacted + "2"));
}

TEST(RecordingCommands, report_note_and_compare) {
    const Folder folder;
    const std::string path = makeRecording(folder.path / "a.teal", 60).string();
    const std::string html = (folder.path / "r.html").string();
    EXPECT_EQ(recording({"report", path, "--format", "html", "--out", html}).exitCode, 0);
    EXPECT_THAT(readFile(html).valueOr(""), HasSubstr("<!DOCTYPE html>"));
    EXPECT_EQ(recording({"report", path, "--format", "html", "--out", html}).exitCode, 2) << "never over a file";
    EXPECT_THAT(recording({"report", path, "--format", "pdf"}).errors, HasSubstr("tealdeck --replay"));
    const ProcessOutcome added = recording({"notes", "add", path, "--at", "00:00:01.5", "--text", "it began here", "--as", "anna"});
    ASSERT_EQ(added.exitCode, 0) << added.errors;
    const std::string id = added.output.substr(0, 16);
    EXPECT_EQ(recording({"notes", "add", path, "--revise", id, "--kind", "hypothesis", "--text", "or before", "--as", "anna"}).exitCode, 0);
    EXPECT_EQ(recording({"notes", "add", path, "--at", "noon", "--text", "x"}).exitCode, 2);
    const Json listed = jsonOf(recording({"notes", "list", path, "--json"}));
    EXPECT_EQ(listed["text"], "or before");
    EXPECT_EQ(listed["revision"], 2);
    const std::string events = (folder.path / "deploys.csv").string();
    ASSERT_TRUE(writeFileAtomically(events, "time,text\n2023-11-14T22:13:20Z,deploy 17\n").ok());
    EXPECT_THAT(recording({"import", path, events, "--offset-ms", "250"}).output, HasSubstr("1 of 1 events are new"));
    EXPECT_THAT(recording({"import", path, events, "--offset-ms", "250"}).output, HasSubstr("0 of 1 events are new"));
    EXPECT_THAT(recording({"report", path, "--format", "md"}).output, HasSubstr("deploy 17"));
    EXPECT_EQ(recording({"verify", path}).exitCode, 0) << "the recording was not changed";
    const std::string other = makeRecording(folder.path / "b.teal", 60, 5).string();
    EXPECT_EQ(recording({"notes", "merge", other, path + ".notes"}).exitCode, 2) << "notes of another recording";
    EXPECT_THAT(recording({"compare", path, other, "--format", "md"}).output, HasSubstr("Two recordings side by side"));
    EXPECT_EQ(recording({"compare", path, other, "--format", "md", "--anchor", "x"}).exitCode, 2);
}

} // namespace
