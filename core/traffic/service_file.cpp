// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/traffic/service_file.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <string_view>

namespace tealdeck {
namespace {

bool isBlank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/// One line without its end. Blanks at its sides do not count.
struct Line {
    std::size_t begin = 0; ///< in the text
    std::size_t end = 0;   ///< before the line's end
    std::string_view core; ///< without blanks at the sides
};

/// Calls for each line until told to stop (false).
void forEachLine(std::string_view text, const std::function<bool(const Line&)>& call) {
    for (std::size_t at = 0; at < text.size();) {
        Line line{at, std::min(text.find('\n', at), text.size()), {}};
        std::size_t first = line.begin;
        std::size_t last = line.end;
        while (first < last && isBlank(text[first])) {
            ++first;
        }
        while (last > first && isBlank(text[last - 1])) {
            --last;
        }
        line.core = text.substr(first, last - first);
        if (!call(line)) {
            return;
        }
        at = line.end + 1;
    }
}

/// A line "key=value" inside of the section.
struct Entry {
    std::string key;
    std::string value;
    std::size_t begin = 0;      ///< of the whole line
    std::size_t end = 0;        ///< before its end
    std::size_t valueBegin = 0; ///< of the value
    std::size_t valueEnd = 0;
};

struct Section {
    bool found = false;
    std::size_t bodyBegin = 0;  ///< after the header's line
    std::vector<Entry> entries; ///< the first of each key
};

Section findSection(const std::string& text, const std::string& service) {
    Section section;
    forEachLine(text, [&](const Line& line) {
        if (line.core.empty() || line.core.front() == '#') {
            return true;
        }
        if (line.core.front() == '[') {
            if (section.found) {
                return false;
            }
            section.found = line.core.substr(1, line.core.find(']') == std::string_view::npos ? 0 : line.core.find(']') - 1) == service;
            section.bodyBegin = std::min(line.end + 1, text.size());
            return true;
        }
        const std::size_t equals = line.core.find('=');
        if (!section.found || equals == std::string_view::npos) {
            return true;
        }
        const std::string key(line.core.substr(0, equals));
        const auto same = [&key](const Entry& e) { return e.key == key; };
        if (std::none_of(section.entries.begin(), section.entries.end(), same)) {
            const auto core = static_cast<std::size_t>(line.core.data() - text.data());
            section.entries.push_back(
                {key, std::string(line.core.substr(equals + 1)), line.begin, line.end, core + equals + 1, core + line.core.size()});
        }
        return true;
    });
    return section;
}

Error noSection(const std::string& service) {
    return {Error::Kind::Conflict, fmt::format("there is no service [{}].", service), "Add it, or correct its name in the plan.", {}};
}

} // namespace

Result<std::map<std::string, std::string>> readService(const std::string& text, const std::string& service) {
    const Section section = findSection(text, service);
    if (!section.found) {
        return noSection(service);
    }
    std::map<std::string, std::string> values;
    for (const Entry& entry : section.entries) {
        values[entry.key] = entry.value;
    }
    return values;
}

Result<std::string> changeService(const std::string& text, const std::string& service,
                                  const std::map<std::string, std::optional<std::string>>& values) {
    if (!findSection(text, service).found) {
        return noSection(service);
    }
    std::string changed = text;
    for (const auto& [key, value] : values) {
        const Section section = findSection(changed, service);
        const auto it = std::find_if(section.entries.begin(), section.entries.end(), [&](const Entry& e) { return e.key == key; });
        if (it != section.entries.end()) {
            if (value) {
                changed.replace(it->valueBegin, it->valueEnd - it->valueBegin, *value);
            } else {
                changed.erase(it->begin, std::min(it->end + 1, changed.size()) - it->begin);
            }
        } else if (value) {
            const bool open =
                section.bodyBegin > 0 && changed[section.bodyBegin - 1] != '\n'; // the header is the last line, without an end
            changed.insert(section.bodyBegin, fmt::format("{}{}={}\n", open ? "\n" : "", key, *value));
        }
    }
    return changed;
}

} // namespace tealdeck
