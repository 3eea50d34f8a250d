// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/traffic/databases_file.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <set>
#include <string_view>

namespace tealdeck {
namespace {

bool isBlank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

std::size_t skipBlanks(std::string_view line, std::size_t at) {
    while (at < line.size() && isBlank(line[at])) {
        ++at;
    }
    return at;
}

/// The name at the start of an entry and where its connection string begins.
struct Entry {
    std::string name;
    std::size_t value = 0;
};

/// std::nullopt: not an entry (a comment, a directive, an empty line, or something PgBouncer would refuse as well).
std::optional<Entry> readEntry(std::string_view line) {
    std::size_t at = skipBlanks(line, 0);
    if (at >= line.size() || line[at] == ';' || line[at] == '#' || line[at] == '[' || line[at] == '%') {
        return std::nullopt;
    }
    Entry entry;
    if (line[at] == '"') {
        for (++at;; ++at) {
            if (at >= line.size()) {
                return std::nullopt;
            }
            if (line[at] == '"' && (at + 1 >= line.size() || line[at + 1] != '"')) {
                break;
            }
            at += line[at] == '"' ? 1 : 0; // a doubled quote stands for one
            entry.name += line[at];
        }
        ++at;
    } else {
        while (at < line.size() && !isBlank(line[at]) && line[at] != '=') {
            entry.name += line[at++];
        }
    }
    at = skipBlanks(line, at);
    if (at >= line.size() || line[at] != '=') {
        return std::nullopt;
    }
    entry.value = skipBlanks(line, at + 1);
    return entry;
}

/// One key=value of a connection string; begin and end bound the value with its quotes.
struct Pair {
    std::string_view key;
    std::size_t begin = 0;
    std::size_t end = 0;
};

std::optional<Pair> nextPair(std::string_view line, std::size_t at) {
    at = skipBlanks(line, at);
    const std::size_t key = at;
    while (at < line.size() && !isBlank(line[at]) && line[at] != '=') {
        ++at;
    }
    Pair pair{line.substr(key, at - key), 0, 0};
    at = skipBlanks(line, at);
    if (pair.key.empty() || at >= line.size() || line[at] != '=') {
        return std::nullopt;
    }
    pair.begin = at = skipBlanks(line, at + 1);
    if (at < line.size() && line[at] == '\'') {
        for (++at; at < line.size() && (line[at] != '\'' || (at + 1 < line.size() && line[at + 1] == '\'')); ++at) {
            at += line[at] == '\'' ? 1 : 0;
        }
        if (at >= line.size()) {
            return std::nullopt;
        }
        ++at;
    } else {
        while (at < line.size() && !isBlank(line[at])) {
            ++at;
        }
    }
    pair.end = at;
    return pair;
}

std::string quotedValue(const std::string& value) {
    if (value.find_first_of(" \t'") == std::string::npos && !value.empty()) {
        return value;
    }
    std::string quoted = "'";
    for (const char c : value) {
        quoted += c == '\'' ? "''" : std::string(1, c);
    }
    return quoted + "'";
}

/// The line with host and port of its connection string replaced; std::nullopt when the string cannot be read.
std::optional<std::string> retargetLine(std::string_view line, std::size_t value, const std::string& host, int port) {
    std::string out(line.substr(0, value));
    std::size_t done = value;
    std::size_t at = value;
    bool hadHost = false;
    bool hadPort = false;
    while (skipBlanks(line, at) < line.size()) {
        const std::optional<Pair> pair = nextPair(line, at);
        if (!pair) {
            return std::nullopt;
        }
        at = pair->end;
        const bool isHost = pair->key == "host";
        const bool isPort = pair->key == "port";
        if (isHost || isPort) {
            out.append(line.substr(done, pair->begin - done)).append(isHost ? quotedValue(host) : std::to_string(port));
            done = pair->end;
        }
        hadHost = hadHost || isHost;
        hadPort = hadPort || isPort;
    }
    out.append(line.substr(done, at - done));
    const bool first = at == value;
    out += hadHost ? "" : (first ? "host=" : " host=") + quotedValue(host);
    out += hadPort ? "" : fmt::format(" port={}", port);
    return out.append(line.substr(at));
}

bool isDatabasesHeader(std::string_view line) {
    std::string name(line.substr(1, line.find(']') == std::string_view::npos ? std::string_view::npos : line.find(']') - 1));
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return name == "databases";
}

} // namespace

Result<std::string> retargetDatabases(const std::string& ini, const std::vector<std::string>& names, const std::string& host, int port) {
    const std::string_view text = ini;
    std::set<std::string> missing(names.begin(), names.end());
    std::string out;
    bool inDatabases = true;
    int number = 0;
    for (std::size_t at = 0; at < text.size();) {
        ++number;
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = text.substr(at, end - at);
        const std::size_t first = skipBlanks(line, 0);
        if (first < line.size() && line[first] == '[') {
            inDatabases = isDatabasesHeader(line.substr(first));
        }
        const std::optional<Entry> entry = inDatabases ? readEntry(line) : std::nullopt;
        if (entry && std::find(names.begin(), names.end(), entry->name) != names.end()) {
            const std::optional<std::string> changed = retargetLine(line, entry->value, host, port);
            if (!changed) {
                return Error{Error::Kind::Conflict,
                             fmt::format("line {}: the connection string of {} cannot be read.", number, entry->name),
                             "Write it as key=value pairs.",
                             {}};
            }
            out += *changed;
            missing.erase(entry->name);
        } else {
            out += line;
        }
        out += end < text.size() ? "\n" : "";
        at = end + 1;
    }
    if (!missing.empty()) {
        return Error{Error::Kind::Conflict,
                     fmt::format("no entry for {}.", *missing.begin()),
                     "Give every database of the plan an entry of its own (not \"*\").",
                     {}};
    }
    return out;
}

} // namespace tealdeck
