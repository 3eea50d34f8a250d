// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/help_commands.h"

#include "app/ctl/terminal.h"
#include "core/util/version.h"

#include <fmt/format.h>
#include <map>
#include <memory>

namespace tealdeck {
namespace {

/// By the command's words. Every command has one; tests/app/ctl_test.cpp sees to it.
const std::map<std::string, const char*>& examples() {
    static const std::map<std::string, const char*> table = {
        {"check", "tealctl check shop.toml"},
        {"sign-off", "tealctl sign-off shop.toml --item MAN/backup --reason \"restored on the test machine today\""},
        {"override", "tealctl override shop.toml --check PAR03 --typed shop --reason \"green is sized on purpose\""},
        {"skip", "tealctl skip shop.toml --database shop --lsn 0/3A52F18 --typed shop --reason \"a test row on green had the same key\""},
        {"run", "tealctl run shop.toml --until validate\n  tealctl run shop.toml --until observe --hold cutover\n"
                "  tealctl run shop.toml --until ramp --auto --recording /var/lib/tealdeck/shop.teal\n"
                "  tealctl run shop.toml --until finalized --dry-run"},
        {"ramp", "tealctl ramp shop.toml --percent 20"},
        {"status", "tealctl status shop.toml --watch"},
        {"abort", "tealctl abort shop.toml"},
        {"rollback", "tealctl rollback shop.toml --json"},
        {"finalize", "tealctl finalize shop.toml --typed shop --reason \"a week without trouble\""},
        {"stop", "tealctl stop shop.toml"},
        {"drift", "tealctl drift list shop.toml"},
        {"drift list", "tealctl drift list shop.toml --all"},
        {"drift apply", "tealctl drift apply shop.toml --database shop --id 3"},
        {"drift resync", "tealctl drift resync shop.toml --database shop --table public.orders"},
        {"verify", "tealctl verify shop.toml\n  tealctl verify shop.toml --exact --table shop.orders --show-values"},
        {"plan", "tealctl plan explain shop.toml"},
        {"plan validate", "tealctl plan validate shop.toml"},
        {"plan explain", "tealctl plan explain shop.toml"},
        {"plan probe", "tealctl plan probe --host db1.example.org --user tealdeck --passfile ~/.pgpass"},
        {"phases", "tealctl phases --dot | dot -Tsvg > phases.svg"},
        {"attach", "tealctl attach shop.toml"},
        {"takeover", "tealctl takeover shop.toml --reason \"the bastion is gone\""},
        {"continue", "tealctl continue shop.toml"},
        {"copy", "tealctl copy show shop.toml"},
        {"copy show", "tealctl copy show shop.toml --json"},
        {"copy pause", "tealctl copy pause shop.toml"},
        {"copy resume", "tealctl copy resume shop.toml"},
        {"copy cancel", "tealctl copy cancel shop.toml"},
        {"alarm", "tealctl alarm list shop.toml"},
        {"alarm list", "tealctl alarm list shop.toml --json"},
        {"alarm ack", "tealctl alarm ack shop.toml clock-jump"},
        {"alarm shelve", "tealctl alarm shelve shop.toml wal-disk/blue --minutes 60 --reason \"the archive is being moved\""},
        {"recording", "tealctl recording info shop.teal"},
        {"recording info", "tealctl recording info shop.teal --json"},
        {"recording verify", "tealctl recording verify shop.teal"},
        {"recording events", "tealctl recording events shop.teal --kind phase --at 14:05:00"},
        {"recording export", "tealctl recording export shop.teal --format csv --out shop.csv"},
        {"recording salvage", "tealctl recording salvage torn.teal --out saved.teal"},
        {"recording redact", "tealctl recording redact shop.teal --out for-others.teal --class hosts,names"},
        {"recording report", "tealctl recording report shop.teal --format html --out shop.html"},
        {"recording compare", "tealctl recording compare rehearsal.teal shop.teal --anchor phase:observe --format md"},
        {"recording import", "tealctl recording import shop.teal deploys.csv --offset-ms -1500"},
        {"recording notes", "tealctl recording notes list shop.teal"},
        {"recording notes list", "tealctl recording notes list shop.teal --json"},
        {"recording notes add", "tealctl recording notes add shop.teal --at 00:12:33.120 --kind hypothesis --text \"the pooler was out of memory\""},
        {"recording notes merge", "tealctl recording notes merge shop.teal from-ben.notes"},
        {"lab", "tealctl lab up --dir /tmp/lab --blue 15 --green 18"},
        {"lab up", "tealctl lab up --dir /tmp/lab --blue 15 --green 18 --replicas 1"},
        {"lab down", "tealctl lab down --dir /tmp/lab --remove"},
        {"lab status", "tealctl lab status --dir /tmp/lab"},
        {"lab load", "tealctl lab load --dir /tmp/lab --clients 8 --rate 300 --seconds 60"},
        {"lab fault", "tealctl lab fault --dir /tmp/lab engine-green stall\n  tealctl lab fault --dir /tmp/lab pooler-1 kill"},
        {"lab psql", "tealctl lab psql --dir /tmp/lab --side green --database shop -- -c 'select version()'"},
        {"lab start", "tealctl lab start --dir /tmp/lab green-primary"},
        {"lab fetch", "tealctl lab fetch 17 18"},
        {"completion", "source <(tealctl completion bash)"},
        {"man", "tealctl man > tealctl.1 && man ./tealctl.1"},
    };
    return table;
}

/// A command with its place in the tree.
struct Found {
    CLI::App* app;
    std::string words; ///< "alarm ack"; empty: the program itself
};

void gather(CLI::App& app, const std::string& words, std::vector<Found>& all) {
    all.push_back({&app, words});
    for (CLI::App* child : app.get_subcommands([](CLI::App*) { return true; })) {
        gather(*child, words.empty() ? child->get_name() : words + " " + child->get_name(), all);
    }
}

std::vector<Found> allCommands(CLI::App& app) {
    std::vector<Found> all;
    gather(app, "", all);
    return all;
}

void giveExamples(CLI::App& app) {
    for (const Found& found : allCommands(app)) {
        const auto example = examples().find(found.words);
        if (example != examples().end() && found.app->get_footer().find("xample") == std::string::npos) {
            found.app->footer(fmt::format("Example:\n  {}", example->second));
        }
    }
}

/// Long options of a command and the names of its subcommands, blank-separated.
std::string wordsAfter(const CLI::App& app) {
    std::string words;
    for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
        words += (words.empty() ? "" : " ") + child->get_name();
    }
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            words += (words.empty() ? "" : " ") + ("--" + name);
        }
    }
    return words;
}

bool takesFile(const CLI::App& app) {
    for (const CLI::Option* option : app.get_options()) {
        if (option->get_positional()) {
            return true;
        }
    }
    return false;
}

void printBash(CLI::App& app) {
    fmt::print("# bash completion for tealctl; made by \"tealctl completion bash\"\n_tealctl() {{\n"
               "    local current=${{COMP_WORDS[COMP_CWORD]}} path= word words= files=\n"
               "    for word in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n        case \"$path $word\" in\n");
    for (const Found& found : allCommands(app)) {
        if (!found.words.empty()) {
            fmt::print("        \" {}\") path=\" {}\" ;;\n", found.words, found.words);
        }
    }
    fmt::print("        esac\n    done\n    case \"$path\" in\n");
    for (const Found& found : allCommands(app)) {
        fmt::print("    \"{}{}\") words=\"{}\"; files={} ;;\n", found.words.empty() ? "" : " ", found.words, wordsAfter(*found.app),
                   takesFile(*found.app) ? "yes" : "");
    }
    fmt::print("    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
               "    [ -z \"$files\" ] || COMPREPLY+=($(compgen -f -- \"$current\"))\n}}\ncomplete -o filenames -F _tealctl tealctl\n");
}

void printZsh(CLI::App& app) {
    fmt::print("#compdef tealctl\n# made by \"tealctl completion zsh\"\nautoload -U +X bashcompinit && bashcompinit\n");
    printBash(app);
}

std::string quoted(std::string text) {
    for (std::size_t at = text.find('\''); at != std::string::npos; at = text.find('\'', at + 2)) {
        text.insert(at, "\\");
    }
    return "'" + text + "'";
}

void printFish(CLI::App& app) {
    fmt::print("# fish completion for tealctl; made by \"tealctl completion fish\"\n");
    for (const Found& found : allCommands(app)) {
        std::string when = "__fish_use_subcommand";
        if (!found.words.empty()) {
            when.clear();
            for (std::size_t at = 0; at < found.words.size(); at = found.words.find(' ', at) + 1) {
                const std::size_t end = std::min(found.words.find(' ', at), found.words.size());
                when += (when.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + found.words.substr(at, end - at));
                if (end == found.words.size()) {
                    break;
                }
            }
        }
        for (const CLI::App* child : found.app->get_subcommands([](const CLI::App*) { return true; })) {
            fmt::print("complete -c tealctl -f -n {} -a {} -d {}\n", quoted(when), child->get_name(), quoted(child->get_description()));
        }
        for (const CLI::Option* option : found.app->get_options()) {
            for (const std::string& name : option->get_lnames()) {
                fmt::print("complete -c tealctl -n {} -l {} -d {}\n", quoted(when), name, quoted(option->get_description()));
            }
        }
    }
}

/// A line that roff takes as text.
std::string roff(const std::string& text) {
    std::string safe;
    for (const char c : text) {
        const bool begins = safe.empty() || safe.back() == '\n';
        safe += c == '\\' ? "\\e" : c == '-' ? "\\-" : begins && (c == '.' || c == '\'') ? std::string("\\&") + c : std::string(1, c);
    }
    return safe;
}

void printMan(CLI::App& app) {
    fmt::print(".TH TEALCTL 1 \"\" \"tealdeck {}\"\n.SH NAME\ntealctl \\- {}\n.SH SYNOPSIS\n.B tealctl\n.I command\n[\\fIargument\\fR...]\n"
               ".SH DESCRIPTION\nDrives one deployment through its engine. The engine is a process of its own: commands may be given from "
               "several terminals, one drives.\n.SH COMMANDS\n",
               VERSION, roff(app.get_description()));
    for (const Found& found : allCommands(app)) {
        if (found.words.empty()) {
            continue;
        }
        fmt::print(".SS {}\n{}.\n", roff(found.words), roff(found.app->get_description()));
        for (const CLI::Option* option : found.app->get_options()) {
            if (option->get_name(false, true) != "-h,--help") {
                fmt::print(".TP\n\\fB{}\\fR\n{}\n", roff(option->get_name(true, true)), roff(option->get_description()));
            }
        }
        if (const auto example = examples().find(found.words); example != examples().end()) {
            fmt::print(".PP\nExample:\n.PP\n.nf\n  {}\n.fi\n", roff(example->second));
        }
    }
    fmt::print(".SH EXIT STATUS\n0 done, 1 failed, 2 wrong input (nothing was changed), 3 blocked by a check, a gate or another driver, 4 "
               "aborted or returned safely, 5 needs a person.\n.SH ENVIRONMENT\n.TP\nNO_COLOR\nNo colours, also on a terminal.\n"
               ".TP\nTEALDECK_ACTOR\nYour name in the recording, where several people share an account.\n");
}

} // namespace

void addHelpCommands(CLI::App& app, int& exitCode) {
    const auto shell = std::make_shared<std::string>();
    CLI::App* completion = app.add_subcommand("completion", "Print what a shell needs to complete commands and options");
    completion->add_option("shell", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
    completion->callback([shell, &app, &exitCode] {
        *shell == "bash" ? printBash(app) : *shell == "zsh" ? printZsh(app) : printFish(app);
        exitCode = DONE;
    });
    app.add_subcommand("man", "Print the manual page")->callback([&app, &exitCode] {
        printMan(app);
        exitCode = DONE;
    });
    giveExamples(app);
}

} // namespace tealdeck
