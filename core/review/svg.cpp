// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/review/svg.h"

#include "core/util/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

namespace tealdeck::review {
namespace {

constexpr double WIDTH = 720;
constexpr double LEFT = 64;
constexpr double RIGHT = 12;
constexpr double TOP = 26;
constexpr double PLOT_HEIGHT = 130;
constexpr const char* FONT = "DejaVu Sans, sans-serif";

class Svg {
  public:
    void line(double x1, double y1, double x2, double y2, const char* colour, const char* dash = "") {
        m_body += fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\"{}/>\n", x1, y1, x2, y2, colour,
                              dashed(dash));
    }
    void text(double x, double y, const std::string& text, const char* anchor = "start") {
        m_body += fmt::format(
            "<text x=\"{:.1f}\" y=\"{:.1f}\" font-family=\"{}\" font-size=\"11\" fill=\"#1c2326\" text-anchor=\"{}\">{}</text>\n", x, y,
            FONT, anchor, escapeHtml(plainText(text, 80)));
    }
    void rect(double x, double y, double w, double h, const std::string& colour, const std::string& title) {
        m_body += fmt::format(
            "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\" stroke=\"#ffffff\"><title>{}</title></rect>\n",
            x, y, w, h, colour, escapeHtml(plainText(title, 120)));
    }
    void path(const std::string& d, const Curve& curve) {
        m_body += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.4\"{}/>\n", d, curve.colour,
                              dashed(curve.dash.c_str()));
    }
    std::string done(double height, const std::string& title) const {
        return fmt::format(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" role=\"img\">\n"
            "<title>{2}</title>\n{3}</svg>",
            WIDTH, height, escapeHtml(title), m_body);
    }

  private:
    static std::string dashed(const char* dash) { return dash[0] == '\0' ? std::string() : fmt::format(" stroke-dasharray=\"{}\"", dash); }
    std::string m_body;
};

/// 1, 2 or 5 times a power of ten, at least the value.
double niceAbove(double value) {
    if (!(value > 0) || !std::isfinite(value)) {
        return 1;
    }
    const double power = std::pow(10, std::floor(std::log10(value)));
    for (const double step : {1.0, 2.0, 5.0}) {
        if (step * power >= value) {
            return step * power;
        }
    }
    return 10 * power;
}

std::string short_(double value) {
    for (const auto& [limit, unit] : {std::pair{1e9, "G"}, std::pair{1e6, "M"}, std::pair{1e3, "k"}}) {
        if (value >= limit) {
            return fmt::format("{:.3g} {}", value / limit, unit);
        }
    }
    return fmt::format("{:.3g}", value);
}

std::string position(std::int64_t us) {
    const std::int64_t s = us / 1'000'000;
    return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

struct Frame {
    std::int64_t from;
    std::int64_t to;
    double top;
    [[nodiscard]] double x(std::int64_t us) const {
        return LEFT + (WIDTH - LEFT - RIGHT) * std::clamp((static_cast<double>(us) - static_cast<double>(from)) /
                                                              std::max(1.0, static_cast<double>(to) - static_cast<double>(from)),
                                                          0.0, 1.0);
    }
    [[nodiscard]] double y(double value) const { return TOP + PLOT_HEIGHT * (1 - std::clamp(value / top, 0.0, 1.0)); }
};

/// Up and down the extremes of each column, so that a spike of a moment is seen.
std::string pathOf(const Curve& curve, const Frame& frame) {
    std::string d;
    bool down = false;
    for (const SeriesColumn& column : curve.columns) {
        if (!std::isfinite(column.low) || !std::isfinite(column.high)) {
            down = false; // unknown: the line stops
            continue;
        }
        const double x = frame.x(column.timeUs);
        d += fmt::format("{}{:.1f} {:.1f}", down ? "L" : "M", x, frame.y(column.low));
        if (column.high > column.low) {
            d += fmt::format("L{:.1f} {:.1f}", x, frame.y(column.high));
        } else if (!down) {
            d += fmt::format("l0.1 0"); // a single sample is seen too
        }
        down = true;
    }
    return d;
}

void drawAxes(Svg& svg, const Frame& frame, const std::string& unit) {
    for (const double part : {0.0, 0.5, 1.0}) {
        svg.line(LEFT, frame.y(part * frame.top), WIDTH - RIGHT, frame.y(part * frame.top), part == 0 ? "#4c585d" : "#d5dcdf");
        svg.text(LEFT - 5, frame.y(part * frame.top) + 4, short_(part * frame.top) + (part == 1 ? " " + unit : ""), "end");
    }
    for (int i = 0; i <= 4; ++i) {
        const std::int64_t at = frame.from + (frame.to - frame.from) / 4 * i;
        svg.line(frame.x(at), TOP + PLOT_HEIGHT, frame.x(at), TOP + PLOT_HEIGHT + 4, "#4c585d");
        svg.text(frame.x(at), TOP + PLOT_HEIGHT + 17, position(at), i == 0 ? "start" : i == 4 ? "end" : "middle");
    }
}

constexpr std::array<const char*, 6> PART_COLOURS{"#35618e", "#8a6d3b", "#2f7f79", "#7a4f8a", "#5b6770", "#a3554d"};

} // namespace

Plot plotCurves(std::string caption, const std::string& unit, const std::vector<Curve>& curves, const std::vector<VerticalMark>& marks,
                std::int64_t fromUs, std::int64_t toUs) {
    double top = 0;
    for (const Curve& curve : curves) {
        for (const SeriesColumn& column : curve.columns) {
            top = std::isfinite(column.high) ? std::max(top, column.high) : top;
        }
    }
    const Frame frame{fromUs, std::max(toUs, fromUs + 1), niceAbove(top)};
    Svg svg;
    double x = LEFT;
    for (const Curve& curve : curves) {
        svg.line(x, 12, x + 18, 12, curve.colour.c_str(), curve.dash.c_str());
        svg.text(x + 22, 16, curve.name);
        x += 40 + 6.6 * static_cast<double>(curve.name.size());
    }
    drawAxes(svg, frame, unit);
    double labelled = -100;
    for (const VerticalMark& mark : marks) {
        const double at = frame.x(mark.timeUs);
        svg.line(at, TOP, at, TOP + PLOT_HEIGHT, "#4c585d", "2 3");
        if (at - labelled > 70) { // texts of near marks would cover each other
            const bool atEnd = at > WIDTH - RIGHT - 60;
            svg.text(atEnd ? at - 3 : at + 3, TOP + 9, mark.text, atEnd ? "end" : "start");
            labelled = at;
        }
    }
    for (const Curve& curve : curves) {
        if (const std::string d = pathOf(curve, frame); !d.empty()) {
            svg.path(d, curve);
        }
    }
    const double height = TOP + PLOT_HEIGHT + 24;
    return {caption, svg.done(height, caption), WIDTH, height};
}

Plot plotBars(std::string caption, const std::string& unit, const std::vector<Bar>& bars) {
    constexpr double NAMES = 150;
    double longest = 0;
    for (const Bar& bar : bars) {
        double sum = 0;
        for (const auto& [name, value] : bar.parts) {
            sum += value;
        }
        longest = std::max(longest, sum);
    }
    Svg svg;
    double y = 4;
    std::vector<std::pair<std::string, std::string>> colours; ///< in the order in which the parts come
    for (const Bar& bar : bars) {
        svg.text(NAMES - 8, y + 15, bar.name, "end");
        double x = NAMES;
        double sum = 0;
        for (const auto& [name, value] : bar.parts) {
            auto colour =
                std::find_if(colours.begin(), colours.end(), [&, &wanted = name](const auto& known) { return known.first == wanted; });
            if (colour == colours.end()) {
                colour = colours.insert(colour, {name, PART_COLOURS[colours.size() % PART_COLOURS.size()]});
            }
            const double w = longest > 0 ? (WIDTH - NAMES - 90) * value / longest : 0;
            svg.rect(x, y, w, 20, colour->second, fmt::format("{}: {:.1f} {}", name, value, unit));
            x += w;
            sum += value;
        }
        svg.text(x + 6, y + 15, fmt::format("{:.1f} {}", sum, unit));
        y += 26;
    }
    double x = NAMES;
    for (const auto& [name, colour] : colours) {
        svg.rect(x, y + 2, 11, 11, colour, name);
        svg.text(x + 16, y + 12, name);
        x += 34 + 6.6 * static_cast<double>(name.size());
    }
    return {caption, svg.done(y + 20, caption), WIDTH, y + 20};
}

} // namespace tealdeck::review
