// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/lab_fault_command.h"

#include "app/lab/faults.h"

#include <fmt/format.h>
#include <memory>

namespace tealdeck {
namespace {

constexpr const char* HELP =
    "WHAT is a link of a lab that was started with --proxies, a process, or \"disk\".\n"
    "  Links:      engine-blue, engine-green, pooler-blue, pooler-green, green-blue, blue-green\n"
    "              (who connects, then the primary; green-blue carries the feed to green)\n"
    "  Modes:      pass       everything goes through\n"
    "              delay      each byte comes --ms later, in both directions\n"
    "              cut        connections are closed, new ones are refused\n"
    "              reset      connections and new ones get a TCP reset\n"
    "              stall      a black hole: nothing arrives, nothing is closed; what was sent comes through when it ends\n"
    "              half-open  requests arrive, answers do not until it ends\n"
    "  Processes:  as \"lab status\" lists them: kill, stop (freeze) or continue\n"
    "  Disk:       fill or free; for a lab that was started as root with --engine-disk";

int fail(const Error& error) {
    fmt::print(stderr, "tealctl: {}\n", error.text());
    return error.kind == Error::Kind::Invalid ? 2 : 1;
}

} // namespace

void addFaultCommands(CLI::App& lab, int& exitCode) {
    auto dir = std::make_shared<std::string>();
    auto what = std::make_shared<std::string>();
    auto how = std::make_shared<std::string>();
    auto ms = std::make_shared<int>(0);
    CLI::App* fault = lab.add_subcommand("fault", "Break a link, a process or the disk of a lab, and mend it again");
    fault->footer(HELP);
    fault->add_option("--dir", *dir, "Folder of the lab")->required();
    fault->add_option("--ms", *ms, "Milliseconds of a delay");
    fault->add_option("what", *what, "A link, a process or disk")->required();
    fault->add_option("how", *how, "A mode, or what to do with the process or the disk")->required();
    fault->callback([=, &exitCode] {
        const Status applied = applyFault(*dir, *what, *how, *ms);
        exitCode = applied ? 0 : fail(applied.error());
    });
    CLI::App* proxy = lab.add_subcommand("proxy", "The links of a lab; started by the lab itself")->group("");
    proxy->add_option("--dir", *dir, "Folder of the lab")->required();
    proxy->callback([dir, &exitCode] { exitCode = fail(runFaultProxy(*dir)); });
}

} // namespace tealdeck
