// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <algorithm>
#include <unordered_set>
#include <utility>
#include <vector>

namespace tealdeck {

/// Turns `rows` into `wanted` by the fewest signals that keep selections and scroll positions: removals, then moves and insertions, then
/// changes. `Model` gives: diffRemove(first, last), diffInsert(first, last), diffMove(from, to), each a pair of begin/end around the callback,
/// and diffChanged(row).
template <class Row, class KeyOf, class Same, class Model>
void diffRows(std::vector<Row>& rows, std::vector<Row> wanted, KeyOf keyOf, Same same, Model& model) {
    std::unordered_set<std::string> keep;
    for (const Row& row : wanted) {
        keep.insert(keyOf(row));
    }
    for (int i = static_cast<int>(rows.size()) - 1; i >= 0; --i) {
        if (!keep.contains(keyOf(rows[static_cast<std::size_t>(i)]))) {
            model.diffRemove(i, [&] { rows.erase(rows.begin() + i); });
        }
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(i);
        const auto found = std::find_if(begin, rows.end(), [&](const Row& r) { return keyOf(r) == keyOf(wanted[i]); });
        if (found == rows.end()) {
            model.diffInsert(static_cast<int>(i), [&] { rows.insert(begin, wanted[i]); });
        } else if (found != begin) {
            model.diffMove(static_cast<int>(found - rows.begin()), static_cast<int>(i), [&] { std::rotate(begin, found, found + 1); });
        }
        if (!same(rows[i], wanted[i])) {
            rows[i] = std::move(wanted[i]);
            model.diffChanged(static_cast<int>(i));
        }
    }
}

} // namespace tealdeck
