// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/terminal.h"

#include <cstdlib>
#include <fmt/format.h>
#include <unistd.h>

namespace tealdeck {

std::string inked(std::string_view text, Ink ink) {
    static const bool colours = [] {
        const char* none = std::getenv("NO_COLOR");
        const char* terminal = std::getenv("TERM");
        return ::isatty(STDOUT_FILENO) != 0 && (none == nullptr || *none == 0) &&
               (terminal == nullptr || std::string_view(terminal) != "dumb");
    }();
    if (!colours) {
        return std::string(text);
    }
    const int code = ink == Ink::Good ? 36 : ink == Ink::Bad ? 31 : ink == Ink::Warn ? 33 : 90;
    return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

} // namespace tealdeck
