// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/copy_commands.h"
#include "app/ctl/deployment_commands.h"
#include "app/ctl/drift_command.h"
#include "app/ctl/help_commands.h"
#include "app/ctl/lab_commands.h"
#include "app/ctl/plan_commands.h"
#include "app/ctl/recording_commands.h"
#include "app/ctl/verify_command.h"
#include "app/ctl/watch_commands.h"
#include "core/util/version.h"

#include <csignal>
#include <sys/stat.h>
#include <system_error>

int main(int argc, char** argv) {
    ::umask(077);
    std::signal(SIGPIPE, SIG_IGN);
    CLI::App app("Tealdeck's headless program: blue–green upgrades of PostgreSQL");
    app.set_version_flag("--version", tealdeck::VERSION);
    app.require_subcommand(1);
    int exitCode = 0;
    tealdeck::addDeploymentCommands(app, exitCode);
    tealdeck::addCopyCommands(app, exitCode);
    tealdeck::addWatchCommands(app, exitCode);
    tealdeck::addVerifyCommand(app, exitCode);
    tealdeck::addDriftCommand(app, exitCode);
    tealdeck::addPlanCommands(app, exitCode);
    tealdeck::addRecordingCommands(app, exitCode);
    tealdeck::addLabCommands(app, exitCode);
    tealdeck::addHelpCommands(app, exitCode);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    } catch (const std::system_error& error) {
        if (error.code() != std::errc::broken_pipe) {
            throw;
        }
        return 128 + SIGPIPE; // who read the output has gone, as `| head` does
    }
    return exitCode;
}
