// SPDX-License-Identifier: GPL-3.0-or-later
// A recording of a real incident under a reviewer's hands: real keys on a real X server with a window manager, from the first alarm to the
// report.
#include "core/util/files.h"
#include "core/util/json.h"
#include "tests/core/recording_fixture.h"
#include "tests/integration/desk.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sstream>

namespace tealdeck::test {
namespace {

using testing_recording::Folder;

std::vector<Json> ctlLines(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), std::string(TEALDECK_BIN_DIR) + "/tealctl");
    const Result<ProcessOutcome> told = runProcess({arguments, {}, {}, {}, 0, 0}, Deadline(Millis(20000)));
    std::vector<Json> lines;
    std::istringstream text(told.ok() ? told->output : std::string());
    for (std::string line; std::getline(text, line);) {
        lines.push_back(parseJson(line).value_or(Json::object()));
    }
    return lines;
}

/// The times of a recording's events of a kind, in microseconds from its beginning.
std::vector<std::int64_t> timesOf(const std::filesystem::path& recording, const std::string& kind) {
    std::vector<std::int64_t> times;
    for (const Json& event : ctlLines({"recording", "events", recording.string(), "--kind", kind, "--json"})) {
        times.push_back(member<std::int64_t>(event, "t_us", -1));
    }
    return times;
}

/// A reviewer, whose notes tell where the replay stands: a note is bound to the moment at which it is written.
class Reviewer {
  public:
    Reviewer(const Desk& desk, std::filesystem::path recording) : m_desk(desk), m_recording(std::move(recording)) {}

    void onTheTimeline(const std::vector<std::string>& keys) const {
        m_desk.key("Escape");
        m_desk.key("ctrl+t");
        for (const std::string& key : keys) {
            m_desk.key(key);
        }
    }
    /// Writes a note with the keys and returns the moment to which it is bound; -1 when it was not written.
    std::int64_t noteHere(const std::string& text) const {
        m_desk.key("m");
        m_desk.type(text);
        m_desk.key("Return");
        std::int64_t at = -1;
        static_cast<void>(eventually(Millis(10000), [&] {
            for (const Json& note : ctlLines({"recording", "notes", "list", m_recording.string(), "--json"})) {
                at = member<std::string>(note, "text", "") == text ? member<std::int64_t>(note, "from_us", -1) : at;
            }
            return at >= 0;
        }));
        return at;
    }
    void chooseInPalette(const std::string& act) const {
        m_desk.key("ctrl+k");
        m_desk.type(act);
        m_desk.key("Return");
    }

  private:
    const Desk& m_desk;
    std::filesystem::path m_recording;
};

TEST(Replay, AReviewerReadsAnIncidentByKeysAlone) {
    if (const std::string program = missingForDesk(); !program.empty()) {
        GTEST_SKIP() << program << " is not installed: nobody can press keys here";
    }
    if (!std::filesystem::exists(std::string(TEALDECK_BIN_DIR) + "/tealdeck")) {
        GTEST_SKIP() << "the console is not built here";
    }
    const Folder folder;
    const std::filesystem::path recording = folder.path / "incident.teal";
    std::filesystem::copy_file(TEALDECK_SOURCE_DIR "/tests/data/rollback-after-incident.teal", recording);
    const std::vector<std::int64_t> alarms = timesOf(recording, "alarm");
    const std::vector<std::int64_t> acts = timesOf(recording, "operator");
    ASSERT_FALSE(alarms.empty());
    const auto nextAct = std::find_if(acts.begin(), acts.end(), [&](std::int64_t at) { return at > alarms.front(); });
    ASSERT_NE(nextAct, acts.end());

    Desk desk(folder.path);
    ASSERT_TRUE(desk.ok()) << "Xvfb did not start";
    const Child console({std::string(TEALDECK_BIN_DIR) + "/tealdeck", "--as", "carl", "--replay", recording.string()}, desk.environment());
    constexpr const char* WINDOW = "^REPLAY .* Tealdeck$";
    ASSERT_FALSE(desk.focusWindow(console.pid(), WINDOW).empty());
    desk.picture("replay-begin");

    const Reviewer carl(desk, recording);
    carl.onTheTimeline({"End", "Home", "bracketright"});
    EXPECT_EQ(carl.noteHere("where it began"), alarms.front());
    desk.picture("replay-first-alarm");
    carl.onTheTimeline({"Home", "bracketright", "braceright"});
    EXPECT_EQ(carl.noteHere("what was done about it"), *nextAct);
    desk.picture("replay-next-act");
    carl.onTheTimeline({"Home", "ctrl+Right", "shift+Right"});
    EXPECT_EQ(carl.noteHere("a little later"), 10'100'000);
    // It plays until a note is begun, and goes on from there; F only fits the view.
    carl.onTheTimeline({"Home"});
    std::int64_t played = 0;
    for (int note = 0; note < 20 && played == 0; ++note) {
        carl.onTheTimeline({"space", "f", "f", "f", "f"});
        played = carl.noteHere(fmt::format("while it played, {}", note));
    }
    EXPECT_GT(played, 0);
    EXPECT_LT(played, 60'000'000);
    // A reference; what is different from it stands in the last picture.
    carl.onTheTimeline({"Home", "r", "End"});

    carl.chooseInPalette("report as markdown");
    ASSERT_FALSE(desk.focusWindow(console.pid(), "^Save the report$").empty());
    const std::filesystem::path report = folder.path / "report.md";
    desk.type(report.string());
    desk.key("Return");
    std::string text;
    EXPECT_TRUE(eventually(Millis(20000), [&] {
        text = readFile(report).valueOr("");
        return !text.empty();
    }));
    for (const char* wanted : {"where it began", "what was done about it", "What happened?"}) {
        EXPECT_NE(text.find(wanted), std::string::npos) << wanted;
    }
    ASSERT_FALSE(desk.focusWindow(console.pid(), WINDOW).empty());
    desk.picture("replay-end");
}

} // namespace
} // namespace tealdeck::test
