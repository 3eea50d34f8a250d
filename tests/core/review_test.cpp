// SPDX-License-Identifier: GPL-3.0-or-later
// What is computed from recordings, and the reports that are made of it.
#include "core/model/shown.h"
#include "core/review/compare.h"
#include "core/review/external_events.h"
#include "core/review/report.h"
#include "core/review/seen.h"
#include "core/review/times.h"
#include "core/util/text.h"
#include "tests/core/random_events.h"
#include "tests/core/recording_fixture.h"

#include <cmath>
#include <fstream>
#include <gmock/gmock.h>

using namespace tealdeck;
using namespace tealdeck::review;
using namespace tealdeck::testing_recording;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

namespace {

constexpr std::int64_t SECOND = 1'000'000;
constexpr std::int64_t BEGIN = 1'795'600'000 * SECOND; // 2026-11-25

/// Events as an engine tells them, a second apart unless said.
class Story {
  public:
    Event& add(EventKind kind, Json body, const char* actor = "engine", std::int64_t afterUs = SECOND) {
        m_now += afterUs;
        m_events.push_back({m_events.size() + 1, m_now, BEGIN + m_now, kind, actor, std::move(body)});
        return m_events.back();
    }
    void asks(const char* who, const char* command, Json args = Json::object(), bool accepted = true, const char* reply = "") {
        add(EventKind::Operator, {{"command", command}, {"args", std::move(args)}, {"accepted", accepted}, {"reply", reply}}, who);
    }
    void step(const char* id, double ms, bool ok = true, const char* detail = "") {
        add(EventKind::Intent, {{"step", id}, {"detail", "the title"}});
        add(EventKind::Outcome, {{"step", id}, {"ok", ok}, {"detail", detail}, {"ms", ms}});
    }
    void begins(const char* command) { add(EventKind::Step, {{"clear", true}, {"command", command}}); }
    void ends(const char* command, double ms, bool ok = true, const char* detail = "") {
        add(EventKind::Outcome, {{"step", command}, {"command", true}, {"ok", ok}, {"detail", detail}, {"ms", ms}});
        add(EventKind::Step, {{"idle", true}});
    }
    void alarm(const char* id, const char* priority, bool active, const char* acknowledgedBy = "") {
        AlarmState alarm;
        alarm.id = id;
        alarm.priority = priority;
        alarm.cause = "it is so";
        alarm.active = active;
        alarm.acknowledgedBy = acknowledgedBy;
        add(EventKind::Alarm, toJson(alarm));
    }
    void switched(const char* direction, bool ok, double pauseMs) {
        SwitchReport report;
        report.direction = direction;
        report.ok = ok;
        report.pauseMs = pauseMs;
        report.partsMs = {{"fence", 20}, {"pause", 5}, {"receive", 3}};
        report.detail = ok ? "" : "Stopped by Abort.";
        add(EventKind::Switch, toJson(report));
    }
    [[nodiscard]] Measures measured() const {
        MeasuresBuilder builder;
        for (const Event& event : m_events) {
            builder.apply(event);
        }
        return builder.done();
    }
    [[nodiscard]] const std::vector<Event>& events() const { return m_events; }

  private:
    std::vector<Event> m_events;
    std::int64_t m_now = 0;
};

Story rollback() {
    Story story;
    story.add(EventKind::Session, {{"deployment", "shop"}, {"mode", "live"}, {"epoch", 1}});
    story.add(EventKind::Metrics, {{"values", {{"lag_seconds.forward", 0.25}, {"lag_bytes.forward", 4096}, {"tps.blue", 300}}}});
    story.add(EventKind::Metrics, {{"values", {{"lag_seconds.forward", 2.5}, {"lag_bytes.forward", nullptr}, {"tps.blue", 310}}}});
    story.asks("anna", "cutover");
    story.begins("cutover");
    story.step("cutover.gate", 600, true, "three markers in a row");
    story.switched("cutover", true, 41.5);
    story.ends("cutover", 9000);
    story.add(EventKind::Phase, {{"phase", "observe"}, {"reason", "GREEN is production; BLUE follows."}});
    story.alarm("router-silent/pooler-1", "medium", true);
    story.alarm("slot-lost", "high", true);
    story.asks("ben", "acknowledge", {{"alarm", "slot-lost"}});
    story.alarm("slot-lost", "high", true, "ben");
    story.asks("anna", "rollback", {{"reason", "orders fail on green"}});
    story.begins("rollback");
    story.switched("rollback", true, 60);
    story.ends("rollback", 8000);
    story.alarm("slot-lost", "high", false, "ben");
    return story;
}

TEST(Measures, add_up_switches_commands_and_steps) {
    const Measures m = rollback().measured();
    ASSERT_EQ(m.switches.size(), 2U);
    EXPECT_EQ(m.switches[0].report.pauseMs, 41.5);
    const auto parts = pauseParts(m.switches[0].report);
    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(parts[0].first, "pause") << "in the order in which they happen";
    ASSERT_EQ(m.commands.items.size(), 2U);
    EXPECT_EQ(m.commands.items[0].who, "anna");
    EXPECT_EQ(m.commands.items[0].ms, 9000);
    EXPECT_TRUE(m.commands.items[1].ok);
    ASSERT_EQ(m.steps.items.size(), 1U);
    EXPECT_EQ(m.steps.items[0].command, "cutover");
    EXPECT_EQ(m.steps.items[0].ms, 600);
    EXPECT_EQ(m.largest.at("lag_seconds.forward").value, 2.5);
    EXPECT_EQ(m.largest.at("lag_seconds.forward").at.seq, 3U);
    EXPECT_EQ(m.actors, (std::vector<std::string>{"anna", "ben"}));
}

TEST(Measures, tell_how_long_trouble_waited_for_an_answer) {
    const Measures m = rollback().measured();
    ASSERT_EQ(m.reactions.items.size(), 2U);
    EXPECT_EQ(m.reactions.items[0].act, "acknowledge slot-lost");
    EXPECT_EQ(m.reactions.items[0].who, "ben");
    EXPECT_EQ(m.reactions.items[0].acted->steadyUs - m.reactions.items[0].trouble.steadyUs, 2 * SECOND);
    EXPECT_EQ(m.alarmsByPriority.at("high").count, 1U);
    EXPECT_EQ(m.alarmsByPriority.at("high").acknowledged, 1U);
    EXPECT_EQ(m.alarmsByPriority.at("high").slowestAckMs, 2000);
    EXPECT_EQ(m.alarmsByPriority.at("medium").standing, 1U) << "never over";
    ASSERT_EQ(m.returns.size(), 1U);
    EXPECT_EQ(m.returns[0].who, "anna");
    EXPECT_TRUE(m.returns[0].ok);
    EXPECT_FALSE(m.returns[0].trouble) << "what stood was acknowledged before";
}

TEST(Measures, an_abort_in_a_switch_ends_when_the_switch_does) {
    Story story;
    story.asks("anna", "cutover");
    story.begins("cutover");
    story.step("cutover.gate", 100, false, "GREEN does not follow");
    story.asks("anna", "abort");
    story.switched("cutover", false, 0);
    story.ends("cutover", 4000, false, "Stopped by Abort.");
    const Measures m = story.measured();
    ASSERT_EQ(m.returns.size(), 1U);
    EXPECT_TRUE(m.returns[0].ok);
    EXPECT_EQ(m.returns[0].trouble->steadyUs + SECOND, m.returns[0].asked.steadyUs);
    EXPECT_EQ(m.returns[0].ended->steadyUs - m.returns[0].asked.steadyUs, 2 * SECOND);
    EXPECT_EQ(m.commands.items.size(), 1U) << "the abort was no command of its own";
}

TEST(Measures, a_decision_says_what_was_shown_and_what_was_known) {
    Story story;
    CheckState check;
    check.id = "SRV02/blue";
    check.result = CheckResult::Fail;
    check.actual = "wal_level = replica";
    story.add(EventKind::Check, toJson(check));
    story.add(EventKind::Prompt,
              {{"text", "Cut over to GREEN: pauses the writes."},
               {"command", "cutover"},
               {"gates", {{{"text", "lag"}, {"value", 0.25}, {"age_s", 0.4}}}}},
              "anna");
    story.asks("anna", "cutover", {{"reason", "the window is open"}}, false, "SRV02/blue blocks.");
    const Measures m = story.measured();
    ASSERT_EQ(m.decisions.items.size(), 1U);
    const Decision& decision = m.decisions.items[0];
    EXPECT_TRUE(decision.prompted);
    EXPECT_EQ(decision.prompt, "Cut over to GREEN: pauses the writes.");
    EXPECT_EQ(decision.answered.steadyUs - decision.asked.steadyUs, SECOND);
    EXPECT_FALSE(decision.accepted);
    EXPECT_EQ(decision.reason, "the window is open");
    EXPECT_THAT(decision.evidence, Contains(HasSubstr("shown: lag 0.25 (0.4 s old)")));
    EXPECT_THAT(decision.evidence, Contains(HasSubstr("blocking: SRV02/blue wal_level = replica")));
}

TEST(Measures, a_comparison_of_the_data_is_a_proof_or_trouble) {
    Story story = rollback();
    story.add(EventKind::Verify, {{"comparison", {{"state", "running"}, {"tables", 3}}}});
    story.add(EventKind::Verify,
              {{"comparison", {{"state", "done"}, {"mode", "exact"}, {"complete", true}, {"tables", 3}, {"equal", 3}, {"rows", 1000}}}});
    story.add(EventKind::Verify, {{"comparison", {{"state", "done"}, {"mode", "exact"}, {"tables", 3}, {"equal", 2}, {"different", 1}}}});
    const Measures m = story.measured();
    const std::vector<Proof>& proofs = m.proofs.items;
    ASSERT_GE(proofs.size(), 2U);
    EXPECT_TRUE(proofs[proofs.size() - 2].ok);
    EXPECT_THAT(proofs[proofs.size() - 2].text, HasSubstr("exact, all tables): done, 3 tables, 1000 rows: 3 equal, 0 different"));
    EXPECT_FALSE(proofs.back().ok);
    EXPECT_THAT(m.reactions.items.back().text, HasSubstr("1 different")) << "and nobody answered";
}

TEST(Shown, becomes_records_of_its_own_and_nothing_else_does) {
    const auto prompt = shownEvent({{"shown", "prompt"},
                                    {"text", "Arm\nit"},
                                    {"command", "cutover"},
                                    {"gates", {{{"text", "lag"}, {"value", "0.2"}, {"age_s", 0.4}, {"x", 1}}, 7}},
                                    {"other", 1}});
    ASSERT_TRUE(prompt);
    EXPECT_EQ(prompt->first, EventKind::Prompt);
    EXPECT_EQ(
        dumpJson(prompt->second),
        R"({"command":"cutover","gates":[{"age_s":0.4,"text":"lag","value":"0.2"},{"age_s":null,"text":"","value":""}],"text":"Arm\\nit"})");
    EXPECT_EQ(shownEvent({{"shown", "answer"}, {"text", "let go"}, {"withdrawn", true}})->first, EventKind::Answer);
    EXPECT_EQ(shownEvent({{"shown", "view"}, {"page", "Events"}})->first, EventKind::ViewChange);
    const auto hold = shownEvent(
        {{"shown", "answer"}, {"text", "began"}, {"hold", {{"state", "begun\n"}, {"needed_ms", 1500}, {"held_ms", "x"}, {"more", 1}}}});
    EXPECT_EQ(dumpJson(hold->second),
              R"({"hold":{"held_ms":null,"needed_ms":1500.0,"state":"begun\\n"},"text":"began","withdrawn":false})");
    EXPECT_FALSE(shownEvent({{"text", "a note"}}));
    EXPECT_FALSE(shownEvent(Json::array()));
    EXPECT_FALSE(shownEvent({{"shown", "intent"}})) << "no way to write records of the engine's own";
}

TEST(Seen, tells_page_prompt_arming_and_hold_of_any_moment) {
    Story story;
    story.add(EventKind::ViewChange, {{"page", "Events"}}, "anna"); // 1 s, then each a second later
    story.add(EventKind::Prompt,
              {{"text", "ARMED: cut over"},
               {"command", "cutover"},
               {"armed_ms", 20'000},
               {"gates", {{{"text", "lag"}, {"value", "0.2"}, {"age_s", 0.4}}}}},
              "anna");
    const auto hold = [&](const char* state, const char* text, double heldMs) {
        story.add(EventKind::Answer,
                  {{"text", text}, {"withdrawn", false}, {"hold", {{"state", state}, {"needed_ms", 1500}, {"held_ms", heldMs}}}}, "anna");
    };
    hold("begun", "began to hold “HOLD”", 0);
    hold("released", "let go of “HOLD”", 900);
    story.add(EventKind::ViewChange, {{"page", "Alarms"}}, "ben");
    hold("complete", "held “HOLD” in full", 1500);
    story.asks("anna", "cutover");
    const Bounded<Seen> seen = story.measured().seen;
    const auto at = [&](double s) {
        std::string all;
        for (const std::string& line : shownAt(seen, static_cast<std::int64_t>(s * SECOND))) {
            all += line + "\n";
        }
        return all;
    };
    EXPECT_EQ(at(0.5), "");
    EXPECT_EQ(at(1.5), "anna looked at: Events (since 0:00:01.000)\n");
    EXPECT_THAT(at(2.5), HasSubstr("armed for 19.5 s more: “ARMED: cut over”\n    shown: lag 0.2 (0.4 s old)"));
    EXPECT_THAT(at(3.75), HasSubstr("anna began to hold “HOLD”: 0.8 s of 1.5 s (50 %)"));
    EXPECT_THAT(at(4.5), HasSubstr("anna let go of “HOLD”, after 0.9 s of 1.5 s; 0.5 s ago"));
    EXPECT_THAT(at(5.5), HasSubstr("ben looked at: Alarms"));
    EXPECT_THAT(at(6.5), HasSubstr("armed for"));
    EXPECT_THAT(at(7.5), Not(HasSubstr("armed for"))) << "the command was given";
    EXPECT_THAT(at(7.5), HasSubstr("The last word of anna: cutover, accepted"));
    Story late = Story();
    late.add(EventKind::Prompt, {{"text", "ARMED"}, {"armed_ms", 20'000}}, "anna");
    EXPECT_THAT(shownAt(late.measured().seen, 30 * SECOND), Contains(HasSubstr("armed no more: its 20.0 s are over")));
}

TEST(Measures, do_not_grow_with_the_number_of_events) {
    MeasuresBuilder builder;
    Event event = note(1);
    for (std::uint64_t seq = 1; seq <= 60'000; ++seq) {
        event.seq = seq;
        event.steadyUs = static_cast<std::int64_t>(seq) * SECOND;
        event.kind = seq % 2 == 0 ? EventKind::Note : EventKind::Alarm;
        event.body = {{"text", "x"}, {"id", std::to_string(seq % 40)}, {"priority", "high"}, {"active", seq / 40 % 2 == 0}};
        builder.apply(event);
    }
    const Measures m = builder.done();
    EXPECT_LE(m.timeline.items.size() + m.alarms.items.size() + m.reactions.items.size(), 40'000U);
    EXPECT_GT(m.timeline.leftOut, 0U);
    EXPECT_GT(m.reactions.leftOut, 0U);
    EXPECT_EQ(m.records, 60'000U);
}

/// The story as a finished file.
std::filesystem::path written(const Folder& folder, const Story& story, const char* name = "a.teal") {
    const std::filesystem::path path = folder.path / name;
    auto writer = RecordingWriter::create(path, META);
    EXPECT_TRUE(writer.ok());
    for (const Event& event : story.events()) {
        EXPECT_TRUE((*writer)->append(event).ok());
    }
    EXPECT_TRUE((*writer)->close().ok());
    ::chmod(path.c_str(), 0600);
    return path;
}

ReportData gathered(const std::filesystem::path& path) {
    Result<ReportData> data = gatherReport({path, {}, {}});
    EXPECT_TRUE(data.ok()) << (data ? "" : data.error().text());
    return data ? std::move(data).value() : ReportData();
}

TEST(Report, answers_without_the_tool) {
    const Folder folder;
    const ReportData data = gathered(written(folder, rollback()));
    std::string all;
    for (const Answer& answer : answersOf(data)) {
        for (const std::string& line : answer.lines) {
            all += line + "\n";
        }
    }
    for (const char* said :
         {"cutover done, the writes were paused for 41.5 ms", "rollback done", "anna decided \"rollback\", because: orders fail on green",
          "the marker arrived after 3.0 ms", "A comparison of the data of both sides is not recorded", "VERIFIED", "are not recorded"}) {
        EXPECT_THAT(all, HasSubstr(said));
    }
    const std::string html = toHtml(makeReport(data));
    EXPECT_THAT(html, HasSubstr("default-src 'none'; style-src 'sha256-"));
    EXPECT_THAT(html, Not(HasSubstr("<script")));
    EXPECT_THAT(html, HasSubstr("<svg xmlns"));
    EXPECT_THAT(html, HasSubstr(data.info.headHash));
    EXPECT_THAT(toMarkdown(makeReport(data)), HasSubstr("## Decisions and overrides"));
    EXPECT_THAT(reportCsv(data), HasSubstr("\"cutover.receive\",3,ms"));
    std::istringstream lines(reportNdjson(data));
    for (std::string line; std::getline(lines, line);) {
        ASSERT_TRUE(parseJson(line)) << line;
    }
}

TEST(Report, says_what_the_file_is_worth) {
    const Folder folder;
    const std::filesystem::path path = written(folder, rollback());
    const std::string head = gathered(path).info.headHash;
    EXPECT_THAT(gatherReport({path, {}, {head}})->anchors.front(), HasSubstr("is the hash of record"));
    EXPECT_THAT(gatherReport({path, {}, {std::string(64, 'a')}})->anchors.front(), HasSubstr("of NO record"));
    change(path, "UPDATE record SET wall_us=0 WHERE seq=7");
    const ReportData broken = gathered(path);
    EXPECT_EQ(broken.integrity.state, Integrity::State::Broken);
    EXPECT_EQ(broken.integrity.word, "BROKEN at record 7");
    EXPECT_EQ(broken.measures.records, 6U) << "what is sound before the break is shown";
    EXPECT_THAT(toHtml(makeReport(broken)), HasSubstr("class=\"warning\">BROKEN at record 7"));
    auto writer = RecordingWriter::create(folder.path / "open.teal", META);
    Event seal;
    ASSERT_TRUE((*writer)->append(note(1)).ok());
    ASSERT_TRUE((*writer)->appendSealed(note(2), seal).ok());
    ASSERT_TRUE((*writer)->append(note(4)).ok());
    ASSERT_TRUE((*writer)->flush().ok());
    EXPECT_EQ(gathered(folder.path / "open.teal").integrity.word, "NOT FINISHED after seal 3");
}

TEST(Report, hostile_text_is_only_text) {
    const std::string evil = "=cmd|'/c calc'!A1 <script>alert(1)</script> \u202Egnp.\nsecond line \"quoted\", [link](javascript:x)";
    Story story = rollback();
    story.add(EventKind::Note, {{"text", evil}}, "<b>eve</b>");
    story.asks("=1+1", "override", {{"check", evil}, {"reason", evil}});
    story.add(EventKind::Switch,
              {{"direction", evil}, {"ok", true}, {"pause_ms", 1e308}, {"parts_ms", {{evil, 1e308}, {"fence", -5}}}, {"detail", evil}});
    story.add(EventKind::Metrics, {{"values", {{"lag_seconds.forward", 1e300}, {"tps.blue", -1e300}}}});
    const Folder folder;
    const ReportData data = gathered(written(folder, story));
    const Document document = makeReport(data);
    for (const std::string& text : {toHtml(document), toPrintHtml(document), toMarkdown(document), reportCsv(data), reportNdjson(data)}) {
        EXPECT_TRUE(isUtf8(text));
        EXPECT_THAT(text, Not(HasSubstr("\u202E")));
        EXPECT_THAT(text, Not(HasSubstr("\nsecond line")));
    }
    EXPECT_THAT(toHtml(document), Not(HasSubstr("<script>alert")));
    EXPECT_THAT(toHtml(document), Not(HasSubstr("<b>eve")));
    EXPECT_THAT(toMarkdown(document), Not(HasSubstr("[link](")));
    EXPECT_THAT(toMarkdown(document), Not(HasSubstr("<script")));
    EXPECT_THAT(reportCsv(data), Not(HasSubstr(",\"=")));
}

TEST(Report, survives_every_shape_of_events) {
    testing_random::Random random(testing_random::seedOfThisRun());
    MeasuresBuilder builder;
    ReportData data;
    for (std::uint64_t seq = 1; seq <= 3000; ++seq) {
        Event event = testing_random::randomEvent(random, seq);
        if (random() % 50 == 0) { // times of a file that nobody checked
            event.steadyUs = static_cast<std::int64_t>(random());
            event.wallUs = static_cast<std::int64_t>(random());
        }
        builder.apply(event);
    }
    data.measures = builder.done();
    EXPECT_TRUE(isUtf8(toHtml(makeReport(data))));
    EXPECT_TRUE(isUtf8(toMarkdown(makeReport(data))));
    EXPECT_TRUE(isUtf8(reportCsv(data)));
    EXPECT_TRUE(isUtf8(reportNdjson(data)));
}

ReviewNote fact(const char* text, std::int64_t atUs, const char* id = "") {
    ReviewNote one;
    one.id = id;
    one.kind = "fact";
    one.author = "anna";
    one.text = text;
    one.fromUs = one.toUs = atUs;
    return one;
}

TEST(Notes, are_a_chain_of_their_own_bound_to_the_recording) {
    const Folder folder;
    const std::filesystem::path path = written(folder, rollback());
    const std::string digest = sha256Hex(readFile(path).valueOr(""));
    auto reader = RecordingReader::open(path);
    const NotesBinding binding = *bindingTo(**reader);
    ASSERT_TRUE(appendNotes(notesFileOf(path), binding, {fact("orders failed", 5 * SECOND)}).ok());
    ASSERT_TRUE(appendNotes(notesFileOf(path), binding, {fact("the pooler was slow", SECOND)}).ok());
    EXPECT_EQ(sha256Hex(readFile(path).valueOr("")), digest) << "the evidence is never edited";
    const NotesFile notes = *readNotesFile(notesFileOf(path));
    ASSERT_EQ(notes.current().size(), 2U);
    EXPECT_EQ(notes.current()[0].text, "the pooler was slow");
    EXPECT_TRUE(checkBinding(**reader, notes.binding).ok());
    EXPECT_EQ(gathered(path).notes.size(), 2U);
    const auto other = RecordingReader::open(written(folder, Story(rollback()), "b.teal"));
    EXPECT_FALSE(checkBinding(**other, notes.binding).ok()) << "another recording";
    std::string text = readFile(notesFileOf(path)).valueOr("");
    text.replace(text.find("orders failed"), 13, "orders worked");
    ASSERT_TRUE(writeFileAtomically(notesFileOf(path), text).ok());
    EXPECT_EQ(readNotesFile(notesFileOf(path))->brokenAtLine, 2U);
    EXPECT_FALSE(appendNotes(notesFileOf(path), binding, {fact("more", 0)}).ok());
    EXPECT_THAT(gathered(path).notesRemark, HasSubstr("damaged at line 2"));
}

TEST(Notes, of_a_recording_are_none_or_its_own) {
    const Folder folder;
    const std::filesystem::path path = written(folder, rollback());
    auto reader = RecordingReader::open(path);
    const NotesFile none = *notesOf(**reader, notesFileOf(path));
    EXPECT_TRUE(none.all.empty());
    EXPECT_EQ(none.binding.hash, bindingTo(**reader)->hash);
    ASSERT_TRUE(appendNotes(notesFileOf(path), none.binding, {fact("so it was", 1)}).ok());
    EXPECT_EQ(notesOf(**reader, notesFileOf(path))->all.size(), 1U);
    auto other = RecordingReader::open(written(folder, Story(rollback()), "b.teal"));
    EXPECT_FALSE(notesOf(**other, notesFileOf(path)).ok()) << "another recording";
}

TEST(Notes, a_torn_end_and_mutants_give_a_sound_part_or_a_refusal) {
    const Folder folder;
    const std::filesystem::path file = folder.path / "n";
    ASSERT_TRUE(appendNotes(file, {"r", 1, std::string(64, 'a')}, {fact("one", 1), fact("two", 2), fact("three", 3)}).ok());
    const std::string text = readFile(file).valueOr("");
    for (std::size_t size = 0; size < text.size(); ++size) {
        ASSERT_TRUE(writeFileAtomically(file, text.substr(0, size)).ok());
        const Result<NotesFile> part = readNotesFile(file);
        EXPECT_TRUE(!part || part->all.size() < 3) << size;
    }
    Random random(7);
    for (int i = 0; i < 300; ++i) {
        std::string mutant = text;
        mutant[random() % mutant.size()] ^= static_cast<char>(1U << random() % 8);
        ASSERT_TRUE(writeFileAtomically(file, mutant).ok());
        const Result<NotesFile> part = readNotesFile(file);
        EXPECT_TRUE(!part || mutant == text || part->all.size() < 3 || part->binding.recordingId != "r" || part->binding.seq != 1);
    }
}

TEST(Notes, of_two_reviewers_become_one_and_show_where_they_disagree) {
    const Folder folder;
    const std::filesystem::path path = written(folder, rollback());
    auto reader = RecordingReader::open(path);
    const NotesBinding binding = *bindingTo(**reader);
    const std::filesystem::path anna = folder.path / "anna";
    const std::filesystem::path ben = folder.path / "ben";
    const char* id = "00112233aabbccdd";
    ASSERT_TRUE(appendNotes(anna, binding, {fact("lag was high", 1, id), fact("only anna", 2)}).ok());
    ASSERT_TRUE(appendNotes(ben, binding, {fact("lag was fine", 1, id), fact("only ben", 3)}).ok());
    const NotesMerge merge = *mergeNotes(**reader, anna, ben);
    EXPECT_EQ(merge.added, 2U);
    EXPECT_EQ(merge.conflicts, 1U);
    const std::vector<ReviewNote> all = readNotesFile(anna)->current();
    ASSERT_EQ(all.size(), 4U);
    EXPECT_EQ(std::count_if(all.begin(), all.end(), [](const ReviewNote& n) { return n.conflict; }), 2);
    EXPECT_EQ(mergeNotes(**reader, anna, ben)->added, 0U) << "again changes nothing";
    ReviewNote settled = fact("lag was high for ten seconds", 1, id);
    settled.revision = 2;
    ASSERT_TRUE(appendNotes(anna, binding, {settled}).ok());
    EXPECT_EQ(readNotesFile(anna)->current().size(), 3U) << "a later revision settles it";
}

TEST(ExternalEvents, come_from_csv_and_ndjson_with_their_clock_corrected) {
    EXPECT_EQ(parseMoment("2026-11-25T10:00:00Z"), parseMoment("2026-11-25 12:00:00.0+02:00"));
    EXPECT_EQ(parseMoment("1795600000"), BEGIN);
    EXPECT_EQ(parseMoment("1795600000000"), BEGIN);
    for (const char* no : {"", "yesterday", "2026-11-25T10:00:00", "2026-13-25T10:00:00Z", "12", "1e5x", "-5"}) {
        EXPECT_TRUE(std::string(no) == "12" || !parseMoment(no)) << no;
    }
    const std::string csv = "Time,Text,Author\r\n2026-11-25T10:00:00Z,\"deploy, \"\"web\"\" 17\",carl\r\n1795600005,page,\r\n";
    const auto events = parseExternalEvents(csv, "deploys.csv", -1500);
    ASSERT_TRUE(events.ok()) << events.error().text();
    ASSERT_EQ(events->size(), 2U);
    EXPECT_EQ((*events)[0].text, "deploy, \"web\" 17");
    EXPECT_EQ((*events)[1].writtenWallUs, BEGIN + 5 * SECOND - 1'500'000);
    const auto json = parseExternalEvents("{\"ts\":1795600005,\"message\":\"hello\",\"user\":\"eve\"}\n", "chat", 0);
    ASSERT_TRUE(json.ok());
    EXPECT_EQ((*json)[0].author, "eve");
    EXPECT_THAT(parseExternalEvents("time,text\nyesterday,x\n", "f", 0).error().text(), HasSubstr("Line 2: \"yesterday\""));
    EXPECT_FALSE(parseExternalEvents("{\"ts\":1}\n[]\n", "f", 0).ok());
    EXPECT_FALSE(parseExternalEvents("", "f", 0).ok());
    const Folder folder;
    auto reader = RecordingReader::open(written(folder, rollback()));
    std::vector<ReviewNote> placed = *events;
    ASSERT_TRUE(placeExternalEvents(**reader, placed).ok());
    EXPECT_EQ(placed[0].fromUs, 3'500'000) << "by the wall clock of the records";
}

TEST(Compare, lays_two_recordings_side_by_side_at_an_anchor) {
    Story slower;
    slower.add(EventKind::Session, {{"deployment", "shop"}, {"mode", "rehearsal"}});
    slower.add(EventKind::Metrics, {{"values", {{"lag_seconds.forward", 0.5}}}}, "engine", 30 * SECOND);
    slower.asks("anna", "cutover");
    slower.begins("cutover");
    slower.step("cutover.gate", 1200);
    slower.step("cutover.extra", 10);
    slower.switched("cutover", true, 100);
    slower.ends("cutover", 9900);
    slower.add(EventKind::Phase, {{"phase", "observe"}, {"reason", ""}});
    const Folder folder;
    const ReportData a = gathered(written(folder, slower, "rehearsal.teal"));
    const ReportData b = gathered(written(folder, rollback(), "production.teal"));
    const Comparison c = compareRecordings(a, b, "phase:observe");
    ASSERT_TRUE(c.at[0] && c.at[1]);
    EXPECT_GT(c.at[0]->steadyUs, c.at[1]->steadyUs);
    ASSERT_EQ(c.steps.size(), 2U);
    EXPECT_EQ(c.steps[0].id, "cutover.gate");
    EXPECT_EQ(c.steps[0].ms[0], 1200);
    EXPECT_EQ(c.steps[0].ms[1], 600);
    EXPECT_FALSE(c.steps[1].ms[1]);
    const std::string text = toMarkdown(makeComparison(a, b, "phase:observe"));
    EXPECT_THAT(text, HasSubstr("× 0.50"));
    EXPECT_THAT(toHtml(makeComparison(a, b, "phase:observe")), HasSubstr("Lag of GREEN in seconds"));
    EXPECT_THAT(toMarkdown(makeComparison(a, b, "step:none")), HasSubstr("NOT in it"));
    const std::vector<std::string> anchors = commonAnchors(a.measures, b.measures);
    EXPECT_THAT(anchors, testing::ElementsAre("phase:observe", "switch:cutover", "command:cutover", "step:cutover.gate"));
    EXPECT_TRUE(isAnchor("step:cutover.gate"));
    EXPECT_FALSE(isAnchor("observe"));
}

} // namespace
