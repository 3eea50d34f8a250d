// SPDX-License-Identifier: GPL-3.0-or-later
// The floors of the house: who may include whom, and which libraries the built programs need.
#include "core/util/files.h"
#include "core/util/process.h"

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <regex>
#include <set>
#include <sstream>

using namespace tealdeck;
namespace fs = std::filesystem;

namespace {

/// Floors of core from the ground up. A folder may include itself and folders of lower floors.
const std::map<std::string, int> FLOORS{{"util", 0},      {"model", 1},   {"plan", 1},        {"postgres", 2},  {"api", 2},
                                        {"discovery", 3}, {"control", 3}, {"alarms", 3},      {"recording", 4}, {"metrics", 7},
                                        {"checks", 7},    {"recipe", 5},  {"review", 5},     {"replication", 6}, {"traffic", 6},   {"verify", 6},
                                        {"rehearsal", 6}, {"cutover", 7}, {"engine", 8}};

/// Where the code departs from the floors, each with its reason. Looking back down the same way is then forbidden, so that no
/// circle arises, and a departure that nobody needs any more has to leave this list.
const std::set<std::pair<std::string, std::string>> DEPARTURES{
    {"checks", "traffic"},      // asks poolers and balancers through their adapters
    {"checks", "replication"},  // names of publications and slots
    {"metrics", "traffic"},     // samples poolers and balancers through their adapters
    {"metrics", "replication"}, // names of publications and slots
};

/// What a client of the engine may know of core.
const std::set<std::string> SEEN_BY_WIDGETS{"api", "model", "util"};
const std::set<std::string> SEEN_BY_CONSOLE{"api", "model", "util", "recording", "review", "plan"};

struct Include {
    std::string file; ///< from the root of the sources
    std::string what;
};

std::vector<Include> includesUnder(const std::string& folder) {
    static const std::regex pattern(R"re(^\s*#\s*include\s*[<"]([^>"]+)[>"])re");
    std::vector<Include> found;
    const fs::path root(TEALDECK_SOURCE_DIR);
    if (!fs::exists(root / folder)) {
        return found;
    }
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
        const std::string extension = entry.path().extension();
        if (!entry.is_regular_file() || (extension != ".cpp" && extension != ".h")) {
            continue;
        }
        const std::string text = readFile(entry.path()).valueOr("");
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            std::smatch match;
            if (std::regex_search(line, match, pattern)) {
                found.push_back({fs::relative(entry.path(), root).string(), match[1]});
            }
        }
    }
    return found;
}

/// "core/plan/plan.h" → {"core", "plan", "plan.h"}
std::vector<std::string> parts(const std::string& path) {
    std::vector<std::string> all;
    for (const auto& part : fs::path(path)) {
        all.push_back(part);
    }
    return all;
}

TEST(Layers, core_includes_only_lower_floors_and_no_qt) {
    const auto includes = includesUnder("core");
    ASSERT_GT(includes.size(), 50U);
    std::set<std::pair<std::string, std::string>> needed;
    static const std::regex qt(R"re(^(Q[A-Z].*|Qt[A-Z].*|qcustomplot\.h)$)re");
    for (const auto& [file, what] : includes) {
        EXPECT_FALSE(std::regex_match(what, qt)) << file << " includes Qt: " << what;
        const std::string top = parts(what)[0];
        EXPECT_TRUE(top != "widgets" && top != "app" && top != "tests") << file << " looks up to " << what;
        if (top != "core") {
            continue;
        }
        const std::string from = parts(file).at(1);
        const std::string to = parts(what).at(1);
        ASSERT_TRUE(FLOORS.count(from) == 1 && FLOORS.count(to) == 1) << "a folder without a floor: " << file << " or " << what;
        const bool departs = DEPARTURES.count({from, to}) == 1;
        EXPECT_TRUE(from == to || departs || FLOORS.at(to) < FLOORS.at(from))
            << file << " includes " << what << ", which is not on a lower floor";
        EXPECT_EQ(DEPARTURES.count({to, from}), 0U) << file << " includes " << what << ", which includes it back";
        if (departs) {
            needed.emplace(from, to);
        }
    }
    EXPECT_EQ(needed, DEPARTURES) << "a departure from the floors is not needed any more";
}

TEST(Layers, only_postgres_and_below_the_engine_speak_to_servers) {
    for (const auto& [file, what] : includesUnder("core")) {
        if (what.rfind("pqxx", 0) == 0 || what == "libpq-fe.h") {
            EXPECT_EQ(parts(file).at(1), "postgres") << file << " includes " << what;
        }
        if (what == "sqlite3.h") {
            EXPECT_EQ(parts(file).at(1), "recording") << file << " includes " << what;
        }
    }
}

void expectSeesOnly(const std::string& folder, const std::set<std::string>& core, const std::set<std::string>& tops) {
    for (const auto& [file, what] : includesUnder(folder)) {
        const std::vector<std::string> path = parts(what);
        EXPECT_TRUE(what.rfind("pqxx", 0) != 0 && what != "libpq-fe.h" && what != "sqlite3.h") << file << " includes " << what;
        if (path[0] == "core") {
            EXPECT_EQ(core.count(path.at(1)), 1U) << file << " includes " << what;
        } else if (path[0] == "widgets" || path[0] == "app" || path[0] == "tests") {
            const bool own =
                std::any_of(tops.begin(), tops.end(), [&, &name = what](const std::string& top) { return name.rfind(top, 0) == 0; });
            EXPECT_TRUE(own) << file << " includes " << what;
        }
    }
}

TEST(Layers, widgets_see_the_seam_and_the_vocabulary_only) {
    expectSeesOnly("widgets", SEEN_BY_WIDGETS, {"widgets/"});
}

TEST(Layers, the_console_is_only_a_client_of_the_engine) {
    expectSeesOnly("app/console", SEEN_BY_CONSOLE, {"widgets/", "app/console/"});
}

/// What replays may see: the recording, what is computed from it, and panels. Nothing that could send a command or reach a server.
TEST(Layers, a_replay_reaches_no_engine_and_no_server) {
    std::size_t seen = 0;
    for (const auto& [file, what] : includesUnder("app/console")) {
        if (parts(file).back().rfind("replay_", 0) != 0) {
            continue;
        }
        ++seen;
        const std::vector<std::string> path = parts(what);
        if (path[0] == "core") {
            EXPECT_TRUE(path.at(1) == "model" || path.at(1) == "util" || path.at(1) == "recording" || path.at(1) == "review" ||
                        what == "core/api/session_source.h")
                << file << " includes " << what;
        } else if (path[0] == "widgets" || path[0] == "app") {
            EXPECT_TRUE(what.rfind("widgets/timeline/", 0) == 0 || what.rfind("widgets/theme/", 0) == 0 || what.rfind("app/console/replay_", 0) == 0)
                << file << " includes " << what;
        }
    }
    EXPECT_GT(seen, 20U);
}

/// The same of what was built: the objects name no symbol of a client, a launcher or a socket.
TEST(Layers, the_objects_of_a_replay_name_no_way_to_an_engine) {
    const fs::path library = fs::path(TEALDECK_BIN_DIR).parent_path() / "app/console/libtealdeck_console.a";
    if (!fs::exists(library)) {
        GTEST_SKIP() << "the console is not built here";
    }
    const auto listed = runProcess({{"nm", "-C", "--undefined-only", library.string()}, {}, {}, {}}, Deadline(Millis(60'000)));
    ASSERT_TRUE(listed.ok() && listed->exitCode == 0) << (listed ? listed->errors : listed.error().text());
    std::istringstream lines(listed->output);
    static const std::regex forbidden(R"(EngineClient|EngineLauncher|ActionGate|CommandSink|QProcess|QLocalSocket|QTcpSocket|\b(socket|connect|send|execve?|fork|posix_spawnp?)(@|$))");
    bool ofReplay = false;
    std::size_t symbols = 0;
    for (std::string line; std::getline(lines, line);) {
        if (!line.empty() && line.back() == ':') {
            ofReplay = line.rfind("replay_", 0) == 0;
        } else if (ofReplay) {
            ++symbols;
            EXPECT_FALSE(std::regex_search(line, forbidden)) << line;
        }
    }
    EXPECT_GT(symbols, 100U);
}

/// The libraries that a built program names, and those that these need.
std::string librariesOf(const std::string& program) {
    const auto outcome = runProcess({{"ldd", (fs::path(TEALDECK_BIN_DIR) / program).string()}, {}, {}, {}}, Deadline(Millis(20'000)));
    return outcome && outcome->exitCode == 0 ? outcome->output : std::string();
}

void expectNeedsNo(const char* program, const char* library) {
    const std::string libraries = librariesOf(program);
    ASSERT_NE(libraries.find("libc.so"), std::string::npos) << "ldd said nothing about " << program;
    EXPECT_EQ(libraries.find(library), std::string::npos) << program << " needs " << library;
}

class BuiltProgram : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(BuiltProgram, needs_no_library_of_another_floor) {
    const auto [program, library] = GetParam();
    if (!fs::exists(fs::path(TEALDECK_BIN_DIR) / program)) {
        GTEST_SKIP() << program << " is not built here";
    }
    expectNeedsNo(program, library);
}

INSTANTIATE_TEST_SUITE_P(Layers, BuiltProgram,
                         ::testing::Values(std::pair{"tealdeck-engine", "libQt"}, std::pair{"tealctl", "libQt"},
                                           std::pair{"tealdeck", "libpqxx"}));

} // namespace
