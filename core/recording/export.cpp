// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/export.h"

#include "core/util/clock.h"
#include "core/util/text.h"

#include <fmt/format.h>

namespace tealdeck {
std::string csvField(const std::string& text) {
    std::string field = plainText(text, 4000);
    // Blanks in front do not keep a spreadsheet from seeing the formula.
    const std::size_t first = field.find_first_not_of(" \"'");
    if (first != std::string::npos && std::string("=+-@|%").find(field[first]) != std::string::npos) {
        field.insert(0, "'");
    }
    std::string quoted = "\"";
    for (const char c : field) {
        quoted += c == '"' ? "\"\"" : std::string(1, c);
    }
    return quoted + "\"";
}

std::string ndjsonLine(const Event& event) {
    return dumpJson(toJson(event)) + "\n";
}

std::string csvHeader() {
    return "seq,time_utc,steady_us,kind,actor,text,body\n";
}

std::string csvLine(const Event& event) {
    return fmt::format("{},{},{},{},{},{},{}\n", event.seq, isoUtc(event.wallUs), event.steadyUs, eventKindName(event.kind),
                       csvField(event.actor), csvField(describe(event)), csvField(dumpJson(event.body)));
}

} // namespace tealdeck
