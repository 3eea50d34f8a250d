// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/lab_commands.h"
#include "core/util/version.h"

int main(int argc, char** argv) {
    CLI::App app("Tealdeck's headless program");
    app.set_version_flag("--version", tealdeck::VERSION);
    app.require_subcommand(1);
    int exitCode = 0;
    tealdeck::addLabCommands(app, exitCode);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    return exitCode;
}
