// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/plan/plan_reader.h"

#include "core/util/http_get.h"
#include "core/util/redact.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr std::size_t LONGEST_TEXT = 1024;
constexpr std::size_t LONGEST_LIST = 1000;

const char* typeName(const toml::node& node) {
    switch (node.type()) {
    case toml::node_type::table:
        return "a table";
    case toml::node_type::array:
        return "a list";
    case toml::node_type::string:
        return "a text";
    case toml::node_type::integer:
        return "a whole number";
    case toml::node_type::floating_point:
        return "a number with a point";
    case toml::node_type::boolean:
        return "true or false";
    default:
        return "a date or time";
    }
}

bool isControl(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
}

bool onlyFrom(std::string_view text, std::string_view extra, bool upperCase) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (upperCase && c >= 'A' && c <= 'Z') ||
               extra.find(c) != std::string_view::npos;
    });
}

/// What the rule allows, as the end of "must be …".
const char* allowed(TextRule rule) {
    switch (rule) {
    case TextRule::Word:
        return "1 to 32 of the characters a-z, 0-9, _ and -";
    case TextRule::Deployment:
        return "1 to 32 of the characters a-z, 0-9 and _";
    case TextRule::Database:
        return "a PostgreSQL name of 1 to 63 bytes without control characters";
    case TextRule::Host:
        return "a host name, an address or the absolute folder of a Unix socket, not empty and without blanks";
    case TextRule::SslMode:
        return "one of disable, allow, prefer, require, verify-ca, verify-full";
    case TextRule::RouterName:
        return "a name of HAProxy: letters, digits, - _ . and :";
    case TextRule::AbsolutePath:
        return "an absolute path (it is a file on the servers)";
    case TextRule::HookProgram:
        return "an absolute path of a program";
    case TextRule::HttpAddress:
        return "an address such as http://10.0.0.5:8008, with http:// and nothing behind the port";
    case TextRule::Path:
    case TextRule::Program:
    case TextRule::Free:
        break;
    }
    return "a text of 1 to 1024 bytes without control characters";
}

bool fits(std::string_view text, TextRule rule) {
    static const std::set<std::string_view> modes = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
    switch (rule) {
    case TextRule::Word:
        return text.size() <= 32 && onlyFrom(text, "_-", false);
    case TextRule::Deployment:
        return text.size() <= 32 && onlyFrom(text, "_", false);
    case TextRule::Database:
        return text.size() <= 63;
    case TextRule::Host:
        return std::none_of(text.begin(), text.end(), [](char c) { return c == ' ' || c == ','; });
    case TextRule::SslMode:
        return modes.count(text) > 0;
    case TextRule::RouterName:
        return onlyFrom(text, "-_.:", true);
    case TextRule::AbsolutePath:
    case TextRule::HookProgram:
        return text.front() == '/';
    case TextRule::HttpAddress:
        return parseHttpAddress(std::string(text)).has_value();
    default:
        return true;
    }
}

} // namespace

std::string shownText(std::string_view text) {
    std::string shown;
    for (const char c : text.substr(0, 60)) {
        shown += isControl(c) ? '?' : c;
    }
    // A cut in the middle of a character would make the message invalid UTF-8.
    while (text.size() > 60 && !shown.empty() && (static_cast<unsigned char>(shown.back()) & 0x80) != 0) {
        shown.pop_back();
    }
    return text.size() > 60 ? shown + "…" : shown;
}

void PlanProblems::add(std::uint32_t line, const std::string& key, const std::string& rule, const std::string& remedy) {
    if (!m_first) {
        m_first = Error{Error::Kind::Invalid,
                        line > 0 ? fmt::format("{}:{}: {} {}.", m_file, line, key, rule) : fmt::format("{}: {} {}.", m_file, key, rule),
                        remedy,
                        {}};
    }
}

PlanTable::PlanTable(const toml::table* table, std::string path, std::uint32_t line, const std::filesystem::path& folder,
                     PlanProblems& problems)
    : m_table(table), m_path(std::move(path)), m_line(line), m_folder(&folder), m_problems(&problems) {}

std::uint32_t PlanTable::lineOf(const char* key) const {
    const toml::node* node = m_table != nullptr ? m_table->get(key) : nullptr;
    return node != nullptr && node->source().begin.line > 0 ? node->source().begin.line : m_line;
}

const toml::node* PlanTable::find(const char* key) {
    m_known.insert(key);
    return m_table != nullptr ? m_table->get(key) : nullptr;
}

std::string PlanTable::checkedText(const toml::node& node, const char* key, TextRule rule) {
    const auto bad = [&](const std::string& found) {
        m_problems->add(node.source().begin.line, pathOf(key), fmt::format("must be {}, not {}", allowed(rule), found),
                        "Correct the value.");
        return std::string();
    };
    const auto* value = node.as_string();
    if (value == nullptr) {
        return bad(fmt::format("{}", typeName(node)));
    }
    const std::string& text = value->get();
    if (text.empty() || text.size() > LONGEST_TEXT) {
        return bad(text.empty() ? "an empty text" : fmt::format("a text of {} bytes", text.size()));
    }
    if (std::any_of(text.begin(), text.end(), isControl)) {
        return bad(fmt::format("\"{}\", which holds control characters", shownText(text)));
    }
    if (!fits(text, rule)) {
        return bad(fmt::format("\"{}\"", shownText(redactText(text))));
    }
    const bool isPath = rule == TextRule::Path || (rule == TextRule::Program && text.find('/') != std::string::npos);
    return isPath ? (*m_folder / text).lexically_normal().string() : text;
}

std::string PlanTable::text(const char* key, TextRule rule, const std::optional<std::string>& fallback) {
    if (const toml::node* node = find(key)) {
        return checkedText(*node, key, rule);
    }
    if (!fallback) {
        problem(key, "is missing", fmt::format("Add {} = \"…\": {}.", key, allowed(rule)));
    }
    return fallback.value_or("");
}

std::int64_t PlanTable::whole(const char* key, std::int64_t low, std::int64_t high, std::optional<std::int64_t> fallback) {
    const toml::node* node = find(key);
    if (node == nullptr) {
        if (!fallback) {
            problem(key, "is missing", fmt::format("Add {} = …: a whole number from {} to {}.", key, low, high));
        }
        return fallback.value_or(low);
    }
    const auto* value = node->as_integer();
    if (value == nullptr || value->get() < low || value->get() > high) {
        problem(key,
                fmt::format("must be a whole number from {} to {}, not {}", low, high,
                            value != nullptr ? std::to_string(value->get()) : typeName(*node)),
                "Correct the value.");
        return low;
    }
    return value->get();
}

double PlanTable::number(const char* key, double low, double high, double fallback) {
    const toml::node* node = find(key);
    if (node == nullptr) {
        return fallback;
    }
    const auto value = node->is_number() ? node->value<double>() : std::optional<double>();
    if (!value || std::isnan(*value) || *value < low || *value > high) {
        problem(key, fmt::format("must be a number from {} to {}, not {}", low, high, value ? fmt::format("{}", *value) : typeName(*node)),
                "Correct the value.");
        return fallback;
    }
    return *value;
}

bool PlanTable::truth(const char* key, bool fallback) {
    const toml::node* node = find(key);
    if (node == nullptr) {
        return fallback;
    }
    if (!node->is_boolean()) {
        problem(key, fmt::format("must be true or false, not {}", typeName(*node)), "Write it without quotes.");
        return fallback;
    }
    return node->as_boolean()->get();
}

std::vector<std::string> PlanTable::texts(const char* key, TextRule rule, bool required) {
    std::vector<std::string> list;
    const toml::node* node = find(key);
    if (node == nullptr) {
        if (required) {
            problem(key, "is missing", fmt::format("Add {} = [\"…\"]: at least one; each {}.", key, allowed(rule)));
        }
        return list;
    }
    const toml::array* array = node->as_array();
    if (array == nullptr || (required && array->empty()) || array->size() > LONGEST_LIST) {
        problem(key,
                fmt::format("must be a list of {} to {} texts, not {}", required ? 1 : 0, LONGEST_LIST,
                            array == nullptr ? typeName(*node)
                            : array->empty() ? "an empty list"
                                             : "a longer one"),
                "Write it as [\"a\", \"b\"].");
        return list;
    }
    for (const toml::node& item : *array) {
        std::string text = checkedText(item, key, rule);
        if (std::find(list.begin(), list.end(), text) != list.end()) {
            m_problems->add(item.source().begin.line, pathOf(key), fmt::format("names \"{}\" twice", shownText(text)),
                            "Remove one of them.");
        }
        list.push_back(std::move(text));
    }
    return list;
}

std::vector<std::string> PlanTable::textsInOrder(const char* key, TextRule rule) {
    std::vector<std::string> list;
    const toml::node* node = find(key);
    const toml::array* array = node != nullptr ? node->as_array() : nullptr;
    if (node != nullptr && (array == nullptr || array->size() > 100)) {
        problem(key, "must be a list of at most 100 texts", "Write it as [\"a\", \"b\"].");
        return list;
    }
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
        list.push_back(checkedText(*array->get(i), key, rule));
    }
    return list;
}

std::vector<int> PlanTable::wholes(const char* key, int low, int high, std::vector<int> fallback) {
    const toml::node* node = find(key);
    if (node == nullptr) {
        return fallback;
    }
    std::vector<int> list;
    const toml::array* array = node->as_array();
    if (array != nullptr && !array->empty() && array->size() <= LONGEST_LIST) {
        for (const toml::node& item : *array) {
            const auto* value = item.as_integer();
            if (value == nullptr || value->get() < low || value->get() > high) {
                list.clear();
                break;
            }
            list.push_back(static_cast<int>(value->get()));
        }
    }
    if (list.empty()) {
        problem(key, fmt::format("must be a list of whole numbers from {} to {}", low, high), "Write it as [10, 50, 100].");
        return fallback;
    }
    return list;
}

PlanTable PlanTable::table(const char* key, bool required) {
    const toml::node* node = find(key);
    if (node == nullptr && required) {
        problem(key, "is missing", fmt::format("Add a table [{}].", pathOf(key)));
    }
    if (node != nullptr && !node->is_table()) {
        problem(key, fmt::format("must be a table, not {}", typeName(*node)), fmt::format("Write it as [{}].", pathOf(key)));
        node = nullptr;
    }
    return {node != nullptr ? node->as_table() : nullptr, pathOf(key), lineOf(key), *m_folder, *m_problems};
}

std::vector<PlanTable> PlanTable::tables(const char* key) {
    std::vector<PlanTable> list;
    const toml::node* node = find(key);
    if (node == nullptr) {
        return list;
    }
    const toml::array* array = node->as_array();
    if (array == nullptr || array->size() > LONGEST_LIST ||
        !std::all_of(array->begin(), array->end(), [](const toml::node& item) { return item.is_table(); })) {
        problem(key, fmt::format("must be a list of at most {} tables", LONGEST_LIST), fmt::format("Write each as [[{}]].", pathOf(key)));
        return list;
    }
    for (std::size_t i = 0; i < array->size(); ++i) {
        const toml::node& item = *array->get(i);
        list.emplace_back(item.as_table(), fmt::format("{}[{}]", pathOf(key), i + 1), item.source().begin.line, *m_folder, *m_problems);
    }
    return list;
}

void PlanTable::refuseOtherKeys() {
    if (m_table == nullptr) {
        return;
    }
    for (const auto& [key, node] : *m_table) {
        if (m_known.count(key.str()) == 0) {
            std::string list;
            for (const std::string& known : m_known) {
                list += (list.empty() ? "" : ", ") + known;
            }
            const std::uint32_t line = key.source().begin.line > 0 ? key.source().begin.line : node.source().begin.line;
            m_problems->add(line, pathOf(shownText(key.str())), "is not a key that a plan knows", fmt::format("Allowed here: {}.", list));
        }
    }
}

} // namespace tealdeck
