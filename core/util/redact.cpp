// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/util/redact.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace tealdeck {
namespace {

constexpr const char* GONE = "[redacted]";
constexpr std::array<std::string_view, 8> SECRET_WORDS = {"password", "passwd",  "pwd",    "secret",
                                                          "token",    "api_key", "apikey", "private_key"};

bool isWord(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (static_cast<unsigned char>(c) & 0x80) != 0;
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return result;
}

bool speaksOfASecret(std::string_view name) {
    const std::string low = lower(name);
    for (const std::string_view word : SECRET_WORDS) {
        if (low.find(word) != std::string::npos) {
            return true;
        }
    }
    return low.find("_key") != std::string::npos;
}

/// At most so many bytes, and no part of a character at the end.
void cutAtCharacter(std::string& text, std::size_t max) {
    text.resize(std::min(text.size(), max));
    std::size_t lead = text.size();
    while (lead > 0 && (static_cast<unsigned char>(text[lead - 1]) & 0xC0) == 0x80) {
        --lead;
    }
    if (lead == 0) {
        return;
    }
    const auto first = static_cast<unsigned char>(text[lead - 1]);
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
    if (text.size() - lead + 1 < length) {
        text.resize(lead - 1);
    }
}

/// Walks over SQL and writes what may be shown.
class SqlRedactor {
  public:
    explicit SqlRedactor(std::string_view sql) : m_sql(sql) {}

    std::string run(std::size_t max) {
        while (m_at < m_sql.size() && m_out.size() <= max) {
            step();
        }
        const bool cut = m_at < m_sql.size() || m_out.size() > max;
        if (cut) {
            cutAtCharacter(m_out, max);
        }
        while (!m_out.empty() && m_out.back() == ' ') {
            m_out.pop_back();
        }
        return cut ? m_out + "…" : m_out;
    }

  private:
    [[nodiscard]] char peek(std::size_t ahead = 0) const { return m_at + ahead < m_sql.size() ? m_sql[m_at + ahead] : '\0'; }
    [[nodiscard]] bool afterWord() const { return !m_out.empty() && (isWord(m_out.back()) || m_out.back() == '$'); }

    /// The E of E'…', not the last letter of a name.
    [[nodiscard]] bool afterEscapeMark() const {
        const std::size_t n = m_out.size();
        return n > 0 && (m_out[n - 1] == 'E' || m_out[n - 1] == 'e') && (n == 1 || !isWord(m_out[n - 2]));
    }

    void step() {
        const char c = peek();
        if (std::isspace(static_cast<unsigned char>(c)) != 0) {
            ++m_at;
            if (!m_out.empty() && m_out.back() != ' ') {
                m_out += ' ';
            }
        } else if (c == '-' && peek(1) == '-') {
            m_at = std::min(m_sql.find('\n', m_at), m_sql.size());
        } else if (c == '/' && peek(1) == '*') {
            skipComment();
        } else if (c == '\'') {
            skipString(afterEscapeMark());
        } else if (c == '"') {
            copyName();
        } else if (c == '$' && !afterWord() && skipDollar()) {
            m_out += "'…'";
        } else if (std::isdigit(static_cast<unsigned char>(c)) != 0 && !afterWord()) {
            skipNumber();
        } else {
            m_out += c;
            ++m_at;
        }
    }

    /// Comments nest in PostgreSQL.
    void skipComment() {
        int depth = 0;
        do {
            if (peek() == '/' && peek(1) == '*') {
                ++depth;
                m_at += 2;
            } else if (peek() == '*' && peek(1) == '/') {
                --depth;
                m_at += 2;
            } else {
                ++m_at;
            }
        } while (depth > 0 && m_at < m_sql.size());
        m_at = std::min(m_at, m_sql.size());
    }

    void skipString(bool escapes) {
        ++m_at;
        while (m_at < m_sql.size()) {
            if (escapes && peek() == '\\') {
                m_at += 2;
            } else if (peek() == '\'' && peek(1) == '\'') {
                m_at += 2;
            } else if (peek() == '\'') {
                break;
            } else {
                ++m_at;
            }
        }
        m_at = std::min(m_at + 1, m_sql.size());
        m_out += "'…'";
    }

    void copyName() {
        do {
            m_out += m_sql[m_at++];
        } while (m_at < m_sql.size() && m_sql[m_at] != '"');
        if (m_at < m_sql.size()) {
            m_out += m_sql[m_at++];
        }
    }

    /// $tag$…$tag$; false when it is a parameter or something else.
    bool skipDollar() {
        std::size_t end = m_at + 1;
        while (end < m_sql.size() && isWord(m_sql[end])) {
            ++end;
        }
        if (end >= m_sql.size() || m_sql[end] != '$' || std::isdigit(static_cast<unsigned char>(m_sql[m_at + 1])) != 0) {
            return false;
        }
        const std::string_view tag = m_sql.substr(m_at, end - m_at + 1);
        const std::size_t close = m_sql.find(tag, end + 1);
        m_at = close == std::string_view::npos ? m_sql.size() : close + tag.size();
        return true;
    }

    void skipNumber() {
        while (isWord(peek()) || peek() == '.' ||
               ((peek() == '-' || peek() == '+') && (m_sql[m_at - 1] == 'e' || m_sql[m_at - 1] == 'E'))) {
            ++m_at;
        }
        m_out += '?';
    }

    std::string_view m_sql;
    std::size_t m_at = 0;
    std::string m_out;
};

/// Where the value after a name of a secret begins, or npos: blanks and quotes around = or : are passed over.
std::size_t valueAfter(std::string_view text, std::size_t at) {
    const auto skip = [&](std::string_view these) {
        while (at < text.size() && these.find(text[at]) != std::string_view::npos) {
            ++at;
        }
    };
    skip("\"' ");
    if (at >= text.size() || (text[at] != '=' && text[at] != ':')) {
        return std::string_view::npos;
    }
    ++at;
    skip(" ");
    return at;
}

std::size_t endOfValue(std::string_view text, std::size_t at) {
    if (at < text.size() && (text[at] == '"' || text[at] == '\'')) {
        const char quote = text[at];
        std::size_t end = at + 1;
        while (end < text.size() && text[end] != quote) {
            end += text[end] == '\\' ? 2 : 1;
        }
        return std::min(end + 1, text.size());
    }
    return std::min(text.find_first_of(" \t\r\n,;&})", at), text.size());
}

/// scheme://user:password@host
void redactUris(std::string& text) {
    for (std::size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at + 3)) {
        const std::size_t end = std::min(text.find_first_of(" \t\r\n/\"'", at + 3), text.size());
        const std::size_t host = text.rfind('@', end);
        const std::size_t colon = text.find(':', at + 3);
        if (host != std::string::npos && host > at && colon < host) {
            text.replace(colon + 1, host - colon - 1, GONE);
        }
    }
}

} // namespace

std::string redactSql(std::string_view sql, std::size_t max) {
    return SqlRedactor(sql).run(max);
}

std::string redactText(std::string_view given) {
    std::string text(given);
    redactUris(text);
    std::string result;
    std::size_t at = 0;
    while (at < text.size()) {
        if (!isWord(text[at])) {
            result += text[at++];
            continue;
        }
        std::size_t end = at;
        while (end < text.size() && isWord(text[end])) {
            ++end;
        }
        result.append(text, at, end - at);
        const std::size_t value = speaksOfASecret(std::string_view(text).substr(at, end - at)) ? valueAfter(text, end) : std::string::npos;
        at = end;
        if (value != std::string::npos) {
            result.append(text, end, value - end);
            result += GONE;
            at = endOfValue(text, value);
        }
    }
    return result;
}

std::string redactText(std::string_view given, const std::map<std::string, std::string>& environment) {
    std::string text(given);
    for (const auto& [name, value] : environment) {
        if (!(speaksOfASecret(name)) || value.size() < 4) {
            continue;
        }
        for (std::size_t at = text.find(value); at != std::string::npos; at = text.find(value, at)) {
            text.replace(at, value.size(), GONE);
            at += std::string_view(GONE).size();
        }
    }
    return redactText(text);
}

} // namespace tealdeck
