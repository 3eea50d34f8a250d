// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/redact.h"

#include "core/recording/copy.h"
#include "core/recording/finish.h"
#include "core/recording/reader.h"
#include "core/util/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <functional>
#include <regex>

namespace tealdeck {
namespace {

constexpr std::array<std::pair<RedactionClass, const char*>, 5> CLASSES{{{RedactionClass::Hosts, "hosts"},
                                                                         {RedactionClass::Names, "names"},
                                                                         {RedactionClass::Statements, "statements"},
                                                                         {RedactionClass::Values, "values"},
                                                                         {RedactionClass::Texts, "texts"}}};
/// Actors that are no people.
const std::set<std::string> PROGRAMS{"engine", "guardian", "salvage"};
constexpr std::size_t MIN_WORD = 2; ///< a name of one letter would take everything out

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

bool isWordCharacter(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

/// The word in the text, both in lower case; a short word only where it stands for itself.
bool contains(const std::string& text, const std::string& word) {
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        const bool alone =
            (at == 0 || !isWordCharacter(text[at - 1])) && (at + word.size() == text.size() || !isWordCharacter(text[at + word.size()]));
        if (alone || word.size() >= 5) {
            return true;
        }
    }
    return false;
}

std::set<EventKind> kindsOf(RedactionClass redaction) {
    switch (redaction) {
    case RedactionClass::Hosts:
        return {EventKind::Topology, EventKind::Traffic, EventKind::Clients};
    case RedactionClass::Names:
        return {EventKind::Session, EventKind::Inventory, EventKind::Copy, EventKind::Clients};
    case RedactionClass::Statements:
        return {EventKind::Statement, EventKind::Drift};
    case RedactionClass::Values:
        return {EventKind::Metrics, EventKind::Topology,  EventKind::Replication, EventKind::Traffic, EventKind::Check,
                EventKind::Switch,  EventKind::Inventory, EventKind::Verify,      EventKind::Copy};
    case RedactionClass::Texts:
        return {EventKind::Note, EventKind::Prompt, EventKind::Answer, EventKind::SignOff, EventKind::Operator, EventKind::ViewChange};
    }
    return {};
}

/// Keeps the words to look for and decides about each record.
class Redactor {
  public:
    Redactor(std::set<RedactionClass> classes, const std::vector<std::string>& words) : m_classes(std::move(classes)) {
        for (const std::string& word : words) {
            add("words", word);
        }
    }
    [[nodiscard]] bool takes(RedactionClass redaction) const { return m_classes.count(redaction) != 0; }
    [[nodiscard]] std::size_t words() const { return m_words.size(); }

    void add(const char* reason, const std::string& word) {
        if (word.size() >= MIN_WORD) {
            m_words.emplace(lower(word), reason);
        }
    }
    void learnIdentity(const Identity& identity) {
        for (const auto& [key, value] : identity.meta) {
            if (key != "tool" && value.text && takes(RedactionClass::Names)) {
                add("names", *value.text);
            }
        }
        for (const auto& [id, name] : identity.actors) {
            if (name.text && PROGRAMS.count(*name.text) == 0 && takes(RedactionClass::Names)) {
                add("names", *name.text);
            }
        }
    }
    /// Names of servers and databases, from the records that introduce them.
    void learn(const Event& event) {
        if (event.kind == EventKind::Session && takes(RedactionClass::Names)) {
            add("names", member<std::string>(event.body, "deployment", ""));
            learnList(event.body, "databases", [&](const Json& name) { addText("names", name); });
        }
        if (event.kind == EventKind::Replication && takes(RedactionClass::Names)) {
            addText("names", member<Json>(event.body, "database", Json()));
        }
        if (event.kind == EventKind::Topology && takes(RedactionClass::Hosts)) {
            learnList(event.body, "nodes", [&](const Json& node) {
                addText("hosts", member<Json>(node, "host", Json()));
                addText("hosts", member<Json>(node, "name", Json()));
            });
        }
    }
    /// Why the record's body goes; empty when it stays.
    [[nodiscard]] std::string reason(const Event& event) const {
        for (const auto& [redaction, name] : CLASSES) {
            if (takes(redaction) && kindsOf(redaction).count(event.kind) != 0) {
                return name;
            }
        }
        // A seal holds hashes only.
        if (event.kind == EventKind::Seal || (m_words.empty() && !takes(RedactionClass::Hosts))) {
            return "";
        }
        const std::string text = lower(textOf(event.body));
        if (takes(RedactionClass::Hosts) && hasAddress(text)) {
            return "hosts";
        }
        const auto found = std::find_if(m_words.begin(), m_words.end(), [&](const auto& word) { return contains(text, word.first); });
        return found == m_words.end() ? "" : found->second;
    }

  private:
    static void learnList(const Json& body, const char* key, const std::function<void(const Json&)>& each) {
        const Json list = member<Json>(body, key, Json());
        for (const Json& one : list.is_array() ? list : Json::array()) {
            each(one);
        }
    }
    void addText(const char* reason, const Json& word) {
        if (word.is_string()) {
            add(reason, word.get_ref<const std::string&>());
        }
    }
    /// All keys and values as a reader would see them, without JSON's escapes.
    static std::string textOf(const Json& json) {
        std::string text;
        if (json.is_string()) {
            return json.get_ref<const std::string&>() + "\n";
        }
        if (json.is_structured()) {
            for (const auto& [key, value] : json.items()) {
                text += (json.is_object() ? key + "\n" : std::string()) + textOf(value);
            }
            return text;
        }
        return dumpJson(json) + "\n";
    }
    /// IPv4 and IPv6 addresses, wherever they stand.
    static bool hasAddress(const std::string& text) {
        static const std::regex address(
            R"((^|[^0-9.])([0-9]{1,3}\.){3}[0-9]{1,3}($|[^0-9.])|[0-9a-f]{0,4}:[0-9a-f]{0,4}:[0-9a-f:.]*[0-9a-f])", std::regex::optimize);
        // Times of day look like the second form: only what has three colons, or two in a row, is an address.
        for (auto match = std::sregex_iterator(text.begin(), text.end(), address); match != std::sregex_iterator(); ++match) {
            const std::string found = match->str();
            if (std::count(found.begin(), found.end(), ':') != 2 || found.find("::") != std::string::npos) {
                return true;
            }
        }
        return false;
    }

    std::set<RedactionClass> m_classes;
    std::map<std::string, std::string> m_words; ///< in lower case, with the reason
};

Identity redactedIdentity(Identity identity, const Redactor& redactor, RedactionReport& report) {
    if (!redactor.takes(RedactionClass::Names)) {
        return identity;
    }
    if (identity.version == 1) {
        report.remarks.emplace_back(
            "A recording of version 1 cannot lose what it says about itself and the names of its actors: they stay.");
        return identity;
    }
    const auto take = [](StoredText& text) {
        text.text.reset();
        text.salt.reset();
    };
    for (auto& [key, value] : identity.meta) {
        if (key != "tool" && value.text) {
            take(value);
            report.meta.push_back(key);
        }
    }
    for (auto& [id, name] : identity.actors) {
        if (name.text && PROGRAMS.count(*name.text) == 0) {
            take(name);
            ++report.actors;
        }
    }
    return identity;
}

Status copyRedacted(RecordingReader& reader, RecordingCopy& into, const Redactor& redactor, RedactionReport& report) {
    Status failed;
    const Status read = reader.readStored(1, 0, [&](const StoredRecord& record) {
        const Result<Event> event = reader.eventOf(record);
        if (!event) {
            failed = event.error();
            return false;
        }
        StoredRecord copy = record;
        const std::string reason = record.body ? redactor.reason(*event) : "";
        if (!reason.empty()) {
            copy.body.reset();
            copy.salt.reset();
            ++report.byReason[reason];
            ++report.byKind[eventKindName(event->kind)];
        }
        report.redacted += copy.body ? 0 : 1;
        ++report.records;
        report.headHash = chain::hex(record.hash);
        failed = into.add(copy);
        return failed.ok();
    });
    return failed ? read : failed;
}

std::string list(const std::map<std::string, std::uint64_t>& counts) {
    std::string text;
    for (const auto& [name, count] : counts) {
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name);
    }
    return text.empty() ? "none" : text;
}

} // namespace

std::optional<RedactionClass> redactionClassFromName(const std::string& name) {
    for (const auto& [redaction, known] : CLASSES) {
        if (name == known) {
            return redaction;
        }
    }
    return std::nullopt;
}

const char* redactionClassName(RedactionClass redaction) {
    for (const auto& [known, name] : CLASSES) {
        if (redaction == known) {
            return name;
        }
    }
    return "";
}

std::string redactionText(const RedactionReport& report, const std::string& file) {
    std::string text =
        fmt::format("{} of {} records have no body in {} any more.\n", report.redacted, report.records, plainText(file, 200));
    text += fmt::format("by class     {}\nby kind      {}\n", list(report.byReason), list(report.byKind));
    text += fmt::format("about itself {} of its statements, {} names of actors\n", report.meta.size(), report.actors);
    text += fmt::format("looked for   {} words; numbers, times and kinds of the records stay\n", report.words);
    text += fmt::format("head         {}, the same as before\n", report.headHash);
    for (const std::string& remark : report.remarks) {
        text += fmt::format("note         {}\n", remark);
    }
    return text;
}

Result<RedactionReport> redactRecording(const std::filesystem::path& source, const std::filesystem::path& out,
                                        const std::set<RedactionClass>& classes, const std::vector<std::string>& words) {
    auto reader = RecordingReader::open(source);
    const Result<VerifyReport> verified = reader ? (*reader)->verify() : Result<VerifyReport>(reader.error());
    if (!verified) {
        return verified.error();
    }
    if (!verified->ok) {
        return Error{
            Error::Kind::Invalid,
            fmt::format("{} is not sound and cannot be redacted: {}.", plainText(source.string(), 200), plainText(verified->reason)),
            "Salvage it first.",
            {}};
    }
    Redactor redactor(classes, words);
    redactor.learnIdentity((*reader)->identity());
    if (Status read = (*reader)->read(1, 0,
                                      [&](const Event& event) {
                                          redactor.learn(event);
                                          return true;
                                      });
        !read) {
        return read.error();
    }
    RedactionReport report;
    report.words = redactor.words();
    const Identity identity = redactedIdentity((*reader)->identity(), redactor, report);
    auto into = RecordingCopy::create(out, identity);
    if (!into) {
        return into.error();
    }
    Status written = copyRedacted(**reader, **into, redactor, report);
    written = written ? (*into)->done() : written;
    written = written ? finishRecordingFile(out) : written;
    return written ? Result<RedactionReport>(std::move(report)) : Result<RedactionReport>(written.error());
}

} // namespace tealdeck
