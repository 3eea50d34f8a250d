// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <vector>

/// A report before it has a form: sections of paragraphs, lists, tables and plots. All text is plain; the writers escape it.
namespace tealdeck::review {

struct Plot {
    std::string caption;
    std::string svg; ///< made by core/review/svg.h
    double width = 0;
    double height = 0;
};

struct Block {
    enum class Kind { Heading, Paragraph, List, Table, Figure };
    Kind kind = Kind::Paragraph;
    bool warning = false;                       ///< of a paragraph: must not be overlooked
    std::string text;                           ///< of a heading or a paragraph
    std::vector<std::string> items;             ///< of a list; the header of a table
    std::vector<std::vector<std::string>> rows; ///< of a table
    Plot plot;
};

struct Section {
    std::string title;
    std::vector<Block> blocks;

    void head(std::string text);
    void say(std::string text, bool warning = false);
    void list(std::vector<std::string> items);
    void table(std::vector<std::string> header, std::vector<std::vector<std::string>> rows);
    void figure(Plot plot);
};

struct Document {
    std::string title;
    std::string subtitle;
    std::vector<Section> sections;
};

/// One file without scripts; its policy forbids everything but its own style.
std::string toHtml(const Document& document);
std::string toMarkdown(const Document& document);
/// What a printer of rich text understands: no style sheet, each plot an image named "plot:N", counted from 0.
std::string toPrintHtml(const Document& document);
/// & < > " ' as entities.
std::string escapeHtml(const std::string& text);

} // namespace tealdeck::review
