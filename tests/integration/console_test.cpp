// SPDX-License-Identifier: GPL-3.0-or-later
// The console under a person's hands: real key and mouse events on a real X server with a window manager, against a real engine and a lab
// under load, from an empty desk to a finalized upgrade.
#include "core/util/files.h"
#include "tests/integration/desk.h"
#include "tests/support/real_lab.h"
#include "tests/support/upgrade_run.h"

#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sstream>

namespace tealdeck::test {
namespace {

constexpr const char* ACTOR = "hands";
constexpr const char* LIVE_WINDOW = "^lab .* Tealdeck$";

/// A person at the keyboard, who looks at the state with tealctl.
class Person {
  public:
    Person(UpgradeRun& run, Desk& desk) : m_run(run), m_desk(desk) {}

    /// Starts the console with these arguments and waits for a window whose title matches.
    void open(const std::vector<std::string>& arguments, const std::string& title) {
        std::vector<std::string> argv = {std::string(TEALDECK_BIN_DIR) + "/tealdeck", "--as", ACTOR};
        argv.insert(argv.end(), arguments.begin(), arguments.end());
        m_console = std::make_unique<Child>(argv, m_desk.environment());
        look(title);
    }
    void look(const std::string& title) {
        m_window = m_desk.focusWindow(m_console->pid(), title);
        ASSERT_FALSE(m_window.empty()) << "there is no window " << title;
    }
    void killConsole() { m_console->end(SIGKILL); }
    /// After a crash the window offers to come back; that button is the last one.
    void comeBack() {
        open({}, "^Tealdeck$");
        m_desk.picture("come-back");
        m_desk.key("shift+Tab");
        m_desk.key("space");
        look(LIVE_WINDOW);
    }
    void writePlan();

    Json state() { return m_run.ctl({"status"}).report; }
    std::string phase() { return member<std::string>(state(), "phase", ""); }
    bool reaches(const std::string& wanted, Millis limit) {
        const bool there = eventually(limit, [&] { return phase() == wanted; });
        EXPECT_TRUE(there) << "not " << wanted << ": " << dumpJson(state());
        return there;
    }
    /// How many commands of this kind the engine took from an actor.
    std::size_t taken(const std::string& command, const std::string& actor = ACTOR) {
        std::size_t count = 0;
        for (const Json& event : operatorEvents()) {
            const Json body = event.contains("body") ? event["body"] : event;
            count += member<std::string>(event, "actor", "") == actor && member<std::string>(body, "command", "") == command &&
                             member(body, "accepted", false)
                         ? 1
                         : 0;
        }
        return count;
    }
    /// Finds the act in the palette and presses its button.
    void press(const std::string& act) {
        prepare(act);
        m_desk.key("space");
    }
    bool click(const std::string& command, const std::string& act) {
        const std::size_t before = taken(command);
        return eventually(Millis(60000), [&] {
            press(act);
            return eventually(Millis(5000), [&] { return taken(command) > before; });
        });
    }
    /// Arms, goes to Hold, holds until the engine has taken the command. A gate may change between arm and hold, as the checklist is
    /// asked again and again: then a person arms again.
    bool armAndHold(const std::string& command, const std::string& act) {
        return holds(command, [&] { press(act); });
    }
    /// The same with the mouse on Hold, which is at the foot of the right panel.
    bool armAndHoldWithTheMouse(const std::string& command, const std::string& act) {
        const std::size_t before = taken(command);
        const bool took = eventually(Millis(120000), [&] {
            press(act);
            m_desk.xdotool({"mousemove", "--window", m_window, "1427", "768"});
            m_desk.xdotool({"mousedown", "1"});
            m_desk.picture("holding-" + command);
            const bool done = eventually(Millis(6000), [&] { return taken(command) > before; });
            m_desk.xdotool({"mouseup", "1"});
            return done;
        });
        return took || explain(command);
    }
    /// What cannot be taken back: chosen in the palette, with the deployment's name and a reason.
    bool armTypeAndHold(const std::string& command, const std::string& act, const std::string& reason) {
        return holds(command, [&] {
            prepare(act);
            m_desk.tab();
            m_desk.type("lab");
            m_desk.tab();
            m_desk.type(reason);
            press(act);
            m_desk.picture("armed-" + command);
        });
    }
    /// Arms and lets go too early.
    void armAndLetGo(const std::string& act) {
        press(act);
        m_desk.key("ctrl+2");
        m_desk.key("space");
    }
    void moveReadsOnce() {
        m_desk.key("ctrl+3");
        m_desk.key("space");
    }
    bool moveReads() {
        const std::size_t before = taken("ramp");
        return eventually(Millis(60000), [&] {
            moveReadsOnce();
            return eventually(Millis(5000), [&] { return taken("ramp") > before; });
        });
    }

  private:
    /// A connection is tested by a tealctl that is the console's child: told when it has come and gone.
    void waitForProbe() const {
        const auto runs = [this] {
            for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
                const std::string stat = readFile(entry.path() / "stat").valueOr("");
                const std::size_t at = stat.rfind(") ");
                if (at != std::string::npos && stat.find("(tealctl)") != std::string::npos &&
                    std::atoi(stat.c_str() + at + 4) == m_console->pid()) {
                    return true;
                }
            }
            return false;
        };
        static_cast<void>(eventually(Millis(3000), runs)); // it may have been too quick to be seen
        EXPECT_TRUE(eventually(Millis(30000), [&] { return !runs(); }));
    }
    void prepare(const std::string& act) {
        m_desk.key("ctrl+k");
        m_desk.type(act);
        m_desk.key("Return");
        m_desk.key("Escape"); // whatever was armed
    }
    bool holds(const std::string& command, const std::function<void()>& arm) {
        const std::size_t before = taken(command);
        const bool took = eventually(Millis(120000), [&] {
            arm();
            m_desk.key("ctrl+2");
            m_desk.xdotool({"keydown", "space"});
            const bool done = eventually(Millis(6000), [&] { return taken(command) > before; });
            m_desk.xdotool({"keyup", "space"});
            return done;
        });
        return took || explain(command);
    }
    /// Why a command was not taken, into the test's output: what the engine refused, and what stands in the way.
    bool explain(const std::string& command) {
        m_desk.picture("not-taken-" + command);
        std::string said;
        for (const Json& event : operatorEvents()) {
            said += dumpJson(event) + "\n";
        }
        ADD_FAILURE() << command << " was not taken; the operator's events:\n" << said << dumpJson(state());
        return false;
    }
    std::vector<Json> operatorEvents() const {
        std::vector<Json> events;
        std::error_code none;
        for (const auto& entry : std::filesystem::directory_iterator(m_run.lab().dir() / "engine", none)) {
            if (entry.path().extension() != ".teal") {
                continue;
            }
            const std::vector<std::string> argv = {
                std::string(TEALDECK_BIN_DIR) + "/tealctl", "recording", "events", entry.path().string(), "--kind", "operator", "--json"};
            const Result<ProcessOutcome> told = runProcess({argv, {}, {}, {}, 0, 0}, Deadline(Millis(20000)));
            std::istringstream text(told.ok() ? told->output : std::string());
            for (std::string line; std::getline(text, line);) {
                events.push_back(parseJson(line).value_or(Json::object()));
            }
        }
        return events;
    }

    UpgradeRun& m_run;
    Desk& m_desk;
    std::unique_ptr<Child> m_console;
    std::string m_window;
};

/// From the empty desk through the wizard, by keys alone, to a saved plan that is opened. The lab's own plan is put aside.
void Person::writePlan() {
    const LabState& lab = m_run.lab().state();
    std::filesystem::rename(lab.planFile(), lab.planFile() + ".lab");
    open({}, "^Tealdeck$");
    m_desk.picture("start");
    // The focus begins on "New plan…"; the first key may come before the window takes keys.
    constexpr const char* WIZARD = "^New plan .* Tealdeck$";
    static_cast<void>(eventually(Millis(20000), [&] {
        m_desk.key("space");
        return eventually(Millis(4000), [&] { return m_desk.sees(m_console->pid(), WIZARD); });
    }));
    look(WIZARD);
    if (testing::Test::HasFatalFailure()) {
        return;
    }
    // The focus begins on the list of steps; "Back" and "Next" behind it are not possible yet.
    const auto fill = [this](const std::vector<std::string>& fields) {
        for (const std::string& field : fields) {
            m_desk.tab();
            m_desk.type(field);
        }
    };
    fill({"lab", "tealdeck_repl", lab.serverPassfile(), lab.caFile()});
    for (const Side side : {Side::Blue, Side::Green}) {
        fill({"127.0.0.1", std::to_string(lab.primary(side).port), "tealdeck", lab.clientPassfile()});
        m_desk.tab(); // TLS stays at verify-full
        fill({lab.caFile(), side == Side::Blue ? "az-a" : "az-b"});
        m_desk.tab();
        m_desk.key("space"); // test the connection
        waitForProbe();
        // The replica that it found is used, at its address; only its port nobody could tell.
        m_desk.tab(2);
        fill({std::to_string(lab.replicas(side).front().port), "az-b"});
        m_desk.tab(); // "Add a replica"
    }
    m_desk.picture("wizard-servers");
    m_desk.tab();
    m_desk.key("Down"); // in the list of steps again
    m_desk.tab(2);      // over "Back" and the list that the test of BLUE filled
    fill({fmt::format("{}", fmt::join(lab.databases, ","))});
    m_desk.picture("wizard-databases");
    m_desk.tab();
    m_desk.key("Down");
    m_desk.tab(3); // over "Back" and "Next"
    m_desk.key("space");
    const LabPooler& pooler = lab.poolers.front();
    fill({"127.0.0.1", std::to_string(pooler.port), "pgb_admin", lab.clientPassfile(), pooler.folder + "/databases.ini"});
    m_desk.tab();
    m_desk.key("space");
    fill({lab.balancerSocket(), "reads", "blue_replica_1", "green_replica_1"});
    m_desk.picture("wizard-routers");
    m_desk.tab();
    m_desk.key("Down");
    m_desk.key("Down");
    m_desk.picture("wizard-review");
    m_desk.tab(4); // over "Back", the text and "Save"
    m_desk.key("space");
    look("^Save the plan$");
    m_desk.type(lab.planFile());
    m_desk.key("Return");
    look(LIVE_WINDOW);
}

/// Stops every process of a server of the lab, or lets it go on.
void signalServer(const LabState& lab, Side side, int signal) {
    const std::string pid = readFile(lab.primary(side).data + "/postmaster.pid").valueOr("");
    const int postmaster = std::atoi(pid.c_str());
    ASSERT_GT(postmaster, 1);
    ::kill(postmaster, signal);
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string stat = readFile(entry.path() / "stat").valueOr("");
        const std::size_t at = stat.rfind(") ");
        if (at != std::string::npos && std::atoi(stat.c_str() + at + 4) == postmaster) {
            ::kill(std::atoi(entry.path().filename().c_str()), signal);
        }
    }
}

TEST(Console, UpgradesAndRollsBackUnderAPersonsHands) {
    if (const std::string program = missingForDesk(); !program.empty()) {
        GTEST_SKIP() << program << " is not installed: nobody can press the console's keys here";
    }
    if (!std::filesystem::exists(std::string(TEALDECK_BIN_DIR) + "/tealdeck")) {
        GTEST_SKIP() << "the console is not built here";
    }
    UpgradeRun run(15, 18);
    ASSERT_TRUE(run.ok());
    const std::filesystem::path home = run.lab().file("home");
    ASSERT_TRUE(std::filesystem::create_directory(home));
    Desk desk(home);
    ASSERT_TRUE(desk.ok()) << "Xvfb did not start";
    run.startLoad(4);
    Person person(run, desk);
    const auto failed = [] { return testing::Test::HasFatalFailure(); };

    // The wizard, and a checklist that finds something.
    run.lab().run(Side::Blue, "shop", "create unlogged table not_in_the_wal(a int primary key)");
    person.writePlan();
    ASSERT_FALSE(failed());
    ASSERT_TRUE(person.click("check", "run the checklist"));
    ASSERT_TRUE(person.reaches("preflight", Millis(60000)));
    const auto standsInTheWay = [&] {
        for (const Json& check : person.state().value("blocking", Json::array())) {
            if (member<std::string>(check, "id", "") == "OBJ04/blue/shop") {
                return member<std::string>(check, "fix", "");
            }
        }
        return std::string();
    };
    ASSERT_TRUE(eventually(Millis(60000), [&] { return !standsInTheWay().empty(); }));
    const std::string fix = standsInTheWay();
    ASSERT_NE(fix.find("not_in_the_wal"), std::string::npos) << fix;
    desk.picture("checklist-with-a-failure");
    run.lab().run(Side::Blue, "shop", fix);
    ASSERT_TRUE(person.click("check", "run the checklist"));
    ASSERT_TRUE(eventually(Millis(60000), [&] { return standsInTheWay().empty(); }));
    desk.picture("checklist-mended");

    person.armAndLetGo("replicate");
    EXPECT_EQ(person.taken("replicate"), 0U) << "a hold that ends early must do nothing";
    ASSERT_TRUE(person.armAndHold("replicate", "replicate"));
    desk.picture("replicate");
    // The console dies in the middle of the copy: nothing changes, and a new one comes back to it.
    person.killConsole();
    EXPECT_TRUE(run.writesGoOn(Millis(10000)));
    ASSERT_TRUE(person.reaches("validate", Millis(240000)));
    person.comeBack();
    ASSERT_FALSE(failed());

    // A second console observes: its keys do nothing.
    {
        Child second({std::string(TEALDECK_BIN_DIR) + "/tealdeck", "--as", "second", "--plan", run.lab().plan()}, desk.environment());
        ASSERT_FALSE(desk.focusWindow(second.pid(), LIVE_WINDOW).empty());
        desk.picture("observer");
        person.armAndLetGo("cut over");
        person.moveReadsOnce();
        desk.key("ctrl+1");
        EXPECT_EQ(person.taken("ramp", "second") + person.taken("cutover", "second"), 0U);
    }
    person.look(LIVE_WINDOW);
    ASSERT_FALSE(failed());
    // A server that hangs: its numbers are old, and the window goes on.
    signalServer(run.lab().state(), Side::Green, SIGSTOP);
    const auto greenIsKnown = [&] {
        const Json metrics = person.state().value("metrics", Json::object());
        return metrics.contains("heartbeat_age.green") && member<double>(metrics["heartbeat_age.green"], "value", 99) < 3;
    };
    EXPECT_TRUE(eventually(Millis(20000), [&] { return !greenIsKnown(); }));
    desk.picture("green-hangs");
    signalServer(run.lab().state(), Side::Green, SIGCONT);

    ASSERT_TRUE(person.moveReads());
    ASSERT_TRUE(person.reaches("ramp", Millis(60000)));
    desk.picture("ramp");

    ASSERT_TRUE(person.armAndHoldWithTheMouse("cutover", "cut over"));
    ASSERT_TRUE(person.reaches("observe", Millis(240000)));
    desk.picture("observe");
    EXPECT_EQ(member<std::string>(person.state(), "writes_to", ""), "green");
    EXPECT_TRUE(run.writesGoOn(Millis(10000)));

    ASSERT_TRUE(person.armAndHold("rollback", "roll back"));
    ASSERT_TRUE(person.reaches("rolled-back", Millis(240000)));
    desk.picture("rolled-back");
    EXPECT_EQ(member<std::string>(person.state(), "writes_to", ""), "blue");
    EXPECT_TRUE(run.writesGoOn(Millis(10000)));

    ASSERT_TRUE(person.armAndHold("cutover", "cut over"));
    ASSERT_TRUE(person.reaches("observe", Millis(240000)));
    EXPECT_TRUE(run.writesGoOn(Millis(10000)));
    for (const auto& [command, times] : {std::pair{"replicate", 1U}, std::pair{"cutover", 2U}, std::pair{"rollback", 1U}}) {
        EXPECT_EQ(person.taken(command), times) << command;
    }
    ASSERT_TRUE(person.armTypeAndHold("finalize", "finalize", "all clients are content"));
    ASSERT_TRUE(eventually(Millis(120000),
                           [&] { return person.taken("finalize") == 1 && run.ctl({"status"}).report.value("phase", "") == "finalized"; }));
    desk.picture("finalized");
    HistoryVerdict verdict;
    run.endLoad("green", 3, verdict);
    EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump(2);
}

} // namespace
} // namespace tealdeck::test
