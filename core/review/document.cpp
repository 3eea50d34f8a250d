// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/review/document.h"

#include "core/util/files.h"
#include "core/util/version.h"

#include <fmt/format.h>

namespace tealdeck::review {
namespace {

constexpr const char* STYLE = R"(
body{font:15px/1.45 system-ui,"DejaVu Sans",sans-serif;color:#1c2326;background:#fff;max-width:70em;margin:2em auto;padding:0 1em}
h1{font-size:1.6em;margin:0}h2{font-size:1.2em;border-bottom:1px solid #b9c2c6;margin:1.8em 0 .6em}h3{font-size:1em;margin:1em 0 .2em}
p.sub{color:#4c585d;margin:.2em 0 1em}p.warning{border-left:4px solid #b3261e;padding:.3em .7em;background:#fbeceb}
table{border-collapse:collapse;width:100%;font-size:.9em;margin:.6em 0}th{text-align:left;border-bottom:2px solid #b9c2c6}
td,th{padding:.2em .6em .2em 0;vertical-align:top}td.long{overflow-wrap:anywhere}td{border-bottom:1px solid #e3e8ea}
table.timed td:nth-child(-n+3),table.timed th:nth-child(-n+3){white-space:nowrap}
figure{margin:1em 0}figcaption{color:#4c585d;font-size:.9em}svg{max-width:100%;height:auto}
ul{padding-left:1.3em;margin:.4em 0}li{overflow-wrap:anywhere}
@page{size:A4;margin:16mm}
@media print{body{font-size:10pt;margin:0;max-width:none}h2,h3{break-after:avoid}tr,figure,li{break-inside:avoid}thead{display:table-header-group}}
)";

std::string base64(const std::string& bytes) {
    static const char* const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        unsigned group = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            group = group << 8U | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            text += i + k > bytes.size() ? '=' : DIGITS[group >> (18U - 6U * k) & 63U];
        }
    }
    return text;
}

/// The digest as a policy names it.
std::string policyHash(const std::string& style) {
    const std::string hex = sha256Hex(style);
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    return "sha256-" + base64(bytes);
}

/// Only what holds a word that no column is wide enough for may be broken inside of words: else narrow columns break numbers.
bool isLong(const std::string& cell) {
    constexpr std::size_t WORD = 16;
    std::size_t begin = 0;
    for (std::size_t end = 0; end <= cell.size(); ++end) {
        if (end == cell.size() || cell[end] == ' ') {
            if (end - begin > WORD) {
                return true;
            }
            begin = end + 1;
        }
    }
    return false;
}

std::string row(const std::vector<std::string>& cells, const char* tag, const char* attributes = "") {
    std::string text = "<tr>";
    for (const std::string& cell : cells) {
        text += fmt::format("<{0}{2}{3}>{1}</{0}>", tag, escapeHtml(cell), attributes, isLong(cell) ? " class=\"long\"" : "");
    }
    return text + "</tr>\n";
}

std::string htmlBlock(const Block& block, bool print, int& plots) {
    std::string text;
    switch (block.kind) {
    case Block::Kind::Heading:
        return fmt::format("<h3>{}</h3>\n", escapeHtml(block.text));
    case Block::Kind::Paragraph:
        return fmt::format("<p{}>{}{}{}</p>\n", block.warning ? " class=\"warning\"" : "", print && block.warning ? "<b>" : "",
                           escapeHtml(block.text), print && block.warning ? "</b>" : "");
    case Block::Kind::List:
        for (const std::string& item : block.items) {
            text += "<li>" + escapeHtml(item) + "</li>\n";
        }
        return "<ul>\n" + text + "</ul>\n";
    case Block::Kind::Table:
        for (const auto& cells : block.rows) {
            text += row(cells, "td");
        }
        return fmt::format("<table{}{}>\n<thead>{}</thead>\n<tbody>\n{}</tbody>\n</table>\n",
                           !block.items.empty() && block.items.front() == "UTC" ? " class=\"timed\"" : "",
                           print ? " border=\"0\" cellspacing=\"0\" cellpadding=\"3\" width=\"100%\"" : "", row(block.items, "th", print ? " align=\"left\"" : ""), text);
    case Block::Kind::Figure:
        text = print
                   ? fmt::format("<p><img src=\"plot:{}\" width=\"{}\" height=\"{}\"></p>\n<p><i>{}</i></p>\n", plots, block.plot.width,
                                 block.plot.height, escapeHtml(block.plot.caption))
                   : fmt::format("<figure>\n{}\n<figcaption>{}</figcaption>\n</figure>\n", block.plot.svg, escapeHtml(block.plot.caption));
        ++plots;
        return text;
    }
    return text;
}

std::string htmlBody(const Document& document, bool print) {
    int plots = 0;
    std::string text = fmt::format("<h1>{}</h1>\n<p class=\"sub\">{}</p>\n", escapeHtml(document.title), escapeHtml(document.subtitle));
    for (const Section& section : document.sections) {
        text += fmt::format("<h2>{}</h2>\n", escapeHtml(section.title));
        for (const Block& block : section.blocks) {
            text += htmlBlock(block, print, plots);
        }
    }
    return text;
}

/// Text that no reader of Markdown takes for markup.
std::string markdown(const std::string& text) {
    std::string safe;
    for (const char c : text) {
        if (c == '<' || c == '&') {
            safe += c == '<' ? "&lt;" : "&amp;"; // no writer of Markdown may make HTML of it
            continue;
        }
        if (std::string("\\`*_[]>|#~!").find(c) != std::string::npos) {
            safe += '\\';
        }
        safe += c;
    }
    // A dash, plus or number in front would begin a list.
    const bool begins = !safe.empty() && std::string("-+=0123456789").find(safe.front()) != std::string::npos;
    const std::size_t dot = safe.find_first_not_of("0123456789");
    const bool ends = dot != std::string::npos && dot > 0 && (safe[dot] == '.' || safe[dot] == ')');
    if (begins && (dot == 0 || (ends && (dot + 1 == safe.size() || safe[dot + 1] == ' ')))) {
        safe.insert(dot, "\\");
    }
    return safe;
}

std::string markdownRow(const std::vector<std::string>& cells) {
    std::string text = "|";
    for (const std::string& cell : cells) {
        text += " " + markdown(cell) + " |";
    }
    return text + "\n";
}

std::string markdownBlock(const Block& block) {
    std::string text;
    switch (block.kind) {
    case Block::Kind::Heading:
        return "### " + markdown(block.text) + "\n\n";
    case Block::Kind::Paragraph:
        return (block.warning ? "> **" + markdown(block.text) + "**" : markdown(block.text)) + "\n\n";
    case Block::Kind::List:
        for (const std::string& item : block.items) {
            text += "- " + markdown(item) + "\n";
        }
        return text + "\n";
    case Block::Kind::Table:
        text = markdownRow(block.items) + "|";
        for (std::size_t i = 0; i < block.items.size(); ++i) {
            text += " --- |";
        }
        text += "\n";
        for (const auto& cells : block.rows) {
            text += markdownRow(cells);
        }
        return text + "\n";
    case Block::Kind::Figure:
        return "*" + markdown(block.plot.caption) + "* (the plot is in the HTML and PDF report)\n\n";
    }
    return text;
}

} // namespace

void Section::head(std::string text) {
    Block block;
    block.kind = Block::Kind::Heading;
    block.text = std::move(text);
    blocks.push_back(std::move(block));
}
void Section::say(std::string text, bool warning) {
    Block block;
    block.text = std::move(text);
    block.warning = warning;
    blocks.push_back(std::move(block));
}
void Section::list(std::vector<std::string> items) {
    if (!items.empty()) {
        Block block;
        block.kind = Block::Kind::List;
        block.items = std::move(items);
        blocks.push_back(std::move(block));
    }
}
void Section::table(std::vector<std::string> header, std::vector<std::vector<std::string>> rows) {
    if (!rows.empty()) {
        Block block;
        block.kind = Block::Kind::Table;
        block.items = std::move(header);
        block.rows = std::move(rows);
        blocks.push_back(std::move(block));
    }
}
void Section::figure(Plot plot) {
    Block block;
    block.kind = Block::Kind::Figure;
    block.plot = std::move(plot);
    blocks.push_back(std::move(block));
}

std::string escapeHtml(const std::string& text) {
    std::string safe;
    for (const char c : text) {
        switch (c) {
        case '&':
            safe += "&amp;";
            break;
        case '<':
            safe += "&lt;";
            break;
        case '>':
            safe += "&gt;";
            break;
        case '"':
            safe += "&quot;";
            break;
        case '\'':
            safe += "&#39;";
            break;
        default:
            safe += c;
        }
    }
    return safe;
}

std::string toHtml(const Document& document) {
    return fmt::format("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{}'; base-uri 'none'; "
                       "form-action 'none'\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"generator\" content=\"tealdeck {}\">\n"
                       "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
                       policyHash(STYLE), VERSION, escapeHtml(document.title), STYLE, htmlBody(document, false));
}

std::string toPrintHtml(const Document& document) {
    return "<html><body>" + htmlBody(document, true) + "</body></html>";
}

std::string toMarkdown(const Document& document) {
    std::string text = fmt::format("# {}\n\n{}\n\n", markdown(document.title), markdown(document.subtitle));
    for (const Section& section : document.sections) {
        text += fmt::format("## {}\n\n", markdown(section.title));
        for (const Block& block : section.blocks) {
            text += markdownBlock(block);
        }
    }
    return text;
}

} // namespace tealdeck::review
