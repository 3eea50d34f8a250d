// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/review/external_events.h"

#include "core/review/measures.h"
#include "core/util/files.h"
#include "core/util/text.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fmt/format.h>
#include <map>
#include <sstream>

namespace tealdeck::review {
namespace {

constexpr std::size_t MOST = 20'000;
using Row = std::map<std::string, std::string>;

Error wrong(std::size_t line, const std::string& why) {
    return {Error::Kind::Invalid,
            fmt::format("Line {}: {}.", line, why),
            "Each event needs a time with its zone (2026-01-31T23:59:59Z) in \"time\" and a text in \"text\".",
            {}};
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

std::string firstOf(const Row& row, std::initializer_list<const char*> names) {
    for (const char* name : names) {
        if (const auto found = row.find(name); found != row.end() && !found->second.empty()) {
            return found->second;
        }
    }
    return {};
}

/// The fields of one record of CSV (RFC 4180), which may run over several lines; false at the end of the text.
bool nextFields(std::string_view text, std::size_t& at, std::size_t& line, std::vector<std::string>& fields) {
    fields.assign(1, "");
    if (at >= text.size()) {
        return false;
    }
    bool quoted = false;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        line += c == '\n' ? 1 : 0;
        if (quoted) {
            if (c != '"') {
                fields.back() += c;
            } else if (at + 1 < text.size() && text[at + 1] == '"') {
                fields.back() += '"';
                ++at;
            } else {
                quoted = false;
            }
        } else if (c == '"' && fields.back().empty()) {
            quoted = true;
        } else if (c == ',') {
            fields.emplace_back();
        } else if (c == '\n') {
            ++at;
            return true;
        } else if (c != '\r') {
            fields.back() += c;
        }
    }
    return true;
}

Result<ReviewNote> noteOf(const Row& row, std::size_t line, const std::string& source, std::int64_t offsetMs) {
    const std::string time = firstOf(row, {"time", "timestamp", "at", "ts"});
    const std::optional<std::int64_t> moment = parseMoment(time);
    if (!moment) {
        return wrong(line, time.empty() ? "it has no time" : fmt::format("\"{}\" is no moment with a zone", plainText(time, 60)));
    }
    ReviewNote note;
    note.kind = "external";
    note.text = plainText(firstOf(row, {"text", "message", "event", "title", "summary"}), 1000);
    note.author = plainText(firstOf(row, {"author", "user", "who"}), 100);
    note.source = plainText(source, 200);
    note.offsetMs = offsetMs;
    note.writtenWallUs = *moment + offsetMs * 1000;
    // The same line of the same file is the same event, however often it is imported.
    note.id = sha256Hex(fmt::format("{}\n{}\n{}\n{}", source, *moment, note.author, note.text)).substr(0, 16);
    return note.text.empty() ? Result<ReviewNote>(wrong(line, "it has no text")) : note;
}

Result<std::vector<ReviewNote>> parseCsv(std::string_view text, const std::string& source, std::int64_t offsetMs) {
    std::vector<ReviewNote> events;
    std::size_t at = 0;
    std::size_t line = 1;
    std::vector<std::string> names;
    std::vector<std::string> fields;
    nextFields(text, at, line, names);
    for (std::size_t begin = line; nextFields(text, at, line, fields); begin = line) {
        if (fields.size() == 1 && fields[0].empty()) {
            continue;
        }
        Row row;
        for (std::size_t i = 0; i < std::min(fields.size(), names.size()); ++i) {
            row[lower(names[i])] = fields[i];
        }
        Result<ReviewNote> note = noteOf(row, begin, source, offsetMs);
        if (!note || events.size() == MOST) {
            return note ? wrong(begin, fmt::format("more than {} events", MOST)) : note.error();
        }
        events.push_back(std::move(note).value());
    }
    return events;
}

Result<std::vector<ReviewNote>> parseNdjson(std::string_view text, const std::string& source, std::int64_t offsetMs) {
    std::vector<ReviewNote> events;
    std::istringstream lines{std::string(text)};
    std::string one;
    for (std::size_t line = 1; std::getline(lines, one); ++line) {
        if (one.find_first_not_of(" \t\r") == std::string::npos) {
            continue;
        }
        const std::optional<Json> json = parseJson(one);
        if (!json || !json->is_object()) {
            return wrong(line, "it is no JSON object");
        }
        Row row;
        for (const auto& [name, value] : json->items()) {
            row[lower(name)] = value.is_string() ? value.get<std::string>() : value.is_number() ? dumpJson(value) : "";
        }
        Result<ReviewNote> note = noteOf(row, line, source, offsetMs);
        if (!note || events.size() == MOST) {
            return note ? wrong(line, fmt::format("more than {} events", MOST)) : note.error();
        }
        events.push_back(std::move(note).value());
    }
    return events;
}

} // namespace

std::optional<std::int64_t> parseMoment(const std::string& text) {
    if (!text.empty() && text.find_first_not_of("0123456789.") == std::string::npos) {
        double number = 0;
        int used = 0;
        if (std::sscanf(text.c_str(), "%lf%n", &number, &used) != 1 || static_cast<std::size_t>(used) != text.size() || number > 1e14) {
            return std::nullopt;
        }
        return static_cast<std::int64_t>(number > 1e11 ? number * 1e3 : number * 1e6); // milliseconds, else seconds
    }
    std::tm time{};
    double seconds = 0;
    int used = 0;
    if (std::sscanf(text.c_str(), "%4d-%2d-%2d%*1[T ]%2d:%2d:%9lf%n", &time.tm_year, &time.tm_mon, &time.tm_mday, &time.tm_hour,
                    &time.tm_min, &seconds, &used) != 6 ||
        used == 0) {
        return std::nullopt;
    }
    std::string zone = text.substr(static_cast<std::size_t>(used));
    zone.erase(0, zone.find_first_not_of("0123456789 ")); // further digits of the fraction
    int hours = 0;
    int minutes = 0;
    const bool utc = zone == "Z" || zone == "z" || zone == "UTC";
    const bool shaped =
        zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && std::sscanf(zone.c_str() + 1, "%2d:%2d", &hours, &minutes) == 2;
    const bool sane = time.tm_mon >= 1 && time.tm_mon <= 12 && time.tm_mday >= 1 && time.tm_mday <= 31 && time.tm_hour <= 24 &&
                      time.tm_min < 60 && seconds >= 0 && seconds < 61;
    if ((!utc && !shaped) || !sane || time.tm_year < 1970) {
        return std::nullopt;
    }
    time.tm_year -= 1900;
    time.tm_mon -= 1;
    const std::int64_t whole = ::timegm(&time);
    const std::int64_t offset = (hours * 3600LL + minutes * 60LL) * (shaped && zone[0] == '-' ? -1 : 1);
    return (whole - offset) * 1'000'000 + std::llround(seconds * 1e6);
}

Result<std::vector<ReviewNote>> parseExternalEvents(std::string_view text, const std::string& source, std::int64_t offsetMs) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) {
        return wrong(1, "the file is empty");
    }
    if (std::abs(offsetMs) > 86'400'000LL * 366) {
        return wrong(1, "a clock's offset is at most a year");
    }
    return text[first] == '{' ? parseNdjson(text, source, offsetMs) : parseCsv(text, source, offsetMs);
}

Status placeExternalEvents(RecordingReader& reader, std::vector<ReviewNote>& events) {
    std::stable_sort(events.begin(), events.end(),
                     [](const ReviewNote& a, const ReviewNote& b) { return a.writtenWallUs < b.writtenWallUs; });
    std::size_t next = 0;
    std::optional<StoredRecord> last;
    const auto place = [](ReviewNote& event, const StoredRecord& record) {
        event.fromUs = event.toUs =
            static_cast<std::int64_t>(static_cast<double>(record.steadyUs) + msBetween(record.wallUs, event.writtenWallUs) * 1000);
    };
    const Status read = reader.readStored(1, 0, [&](const StoredRecord& record) {
        for (; next < events.size() && events[next].writtenWallUs <= record.wallUs; ++next) {
            const std::int64_t time = events[next].writtenWallUs;
            place(events[next], last && msBetween(last->wallUs, time) < msBetween(time, record.wallUs) ? *last : record);
        }
        last = record;
        return next < events.size();
    });
    for (; last && next < events.size(); ++next) {
        place(events[next], *last);
    }
    return read;
}

Result<EventsImport> importExternalEvents(RecordingReader& reader, const std::filesystem::path& notes, const std::filesystem::path& from,
                                          std::int64_t offsetMs) {
    const Result<std::string> text = readFile(from, std::size_t{16} << 20);
    Result<std::vector<ReviewNote>> events =
        text ? parseExternalEvents(*text, from.filename().string(), offsetMs) : Result<std::vector<ReviewNote>>(text.error());
    if (!events) {
        return events.error();
    }
    const Status placed = placeExternalEvents(reader, *events);
    const Result<NotesFile> known = notesOf(reader, notes);
    if (!placed || !known) {
        return placed ? known.error() : placed.error();
    }
    std::map<std::string, ReviewNote> newest;
    for (const ReviewNote& note : known->all) {
        newest[note.id] = note;
    }
    std::vector<ReviewNote> fresh;
    for (ReviewNote& event : *events) {
        if (const auto here = newest.find(event.id); here != newest.end()) {
            event.revision = here->second.revision;
            if (here->second == event) {
                continue;
            }
            ++event.revision; // the same events with another offset
        }
        fresh.push_back(event);
    }
    const EventsImport done{fresh.size(), events->size()};
    const Status added = fresh.empty() ? Status() : appendNotes(notes, known->binding, std::move(fresh));
    return added ? Result<EventsImport>(done) : Result<EventsImport>(added.error());
}

} // namespace tealdeck::review
