// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/result.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tealdeck {

/// What can be taken out of a recording.
enum class RedactionClass {
    Hosts,      ///< servers: records of the topology and the traffic, and each that names a host, a server or a network address
    Names,      ///< deployment, databases and people: what the file says about itself, actors, and each record with such a name
    Statements, ///< text of SQL
    Values,     ///< what was measured: metrics, replication, traffic, checks, switches
    Texts       ///< what people wrote and were asked: notes, prompts, answers, sign-offs, operators' commands
};
/// "hosts", "names", …; std::nullopt for another word.
std::optional<RedactionClass> redactionClassFromName(const std::string& name);
const char* redactionClassName(RedactionClass redaction);

struct RedactionReport {
    std::uint64_t records = 0;
    std::uint64_t redacted = 0;                    ///< without a body now
    std::map<std::string, std::uint64_t> byKind;   ///< of these, per kind of event
    std::map<std::string, std::uint64_t> byReason; ///< of these, per class, or "words" for what was asked for besides
    std::vector<std::string> meta;                 ///< what the file no longer says about itself
    std::uint64_t actors = 0;                      ///< names taken out
    std::uint64_t words = 0;                       ///< different ones that were looked for
    std::string headHash;                          ///< the same as before
    std::vector<std::string> remarks;              ///< what could not be taken out, as sentences
};

/// What was taken out, in lines for people.
std::string redactionText(const RedactionReport& report, const std::string& file);

/// Writes a copy without the bodies that belong to the classes or contain one of the words (5 characters or more are looked for
/// inside of other words too). Its chain verifies and ends in the same hash, since each body left its leaf. Numbers, times and kinds
/// of records stay. Refuses a recording whose chain is broken; the source is only read.
Result<RedactionReport> redactRecording(const std::filesystem::path& source, const std::filesystem::path& out,
                                        const std::set<RedactionClass>& classes, const std::vector<std::string>& words);

} // namespace tealdeck
