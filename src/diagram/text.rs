//! How wide text is. No font is at hand, so it is reckoned: the widths of Helvetica and its like, with some room left
//! for wider ones.

use super::graph::Line;

/// The size of the letters of a status.
pub(super) const NAME: i32 = 14;
/// The size of the letters of a label.
pub(super) const LABEL: i32 = 12;
/// From one line of a label to the next.
pub(super) const LEADING: i32 = 14;

/// How wide a text is at most, in pixels.
pub(super) fn width(text: &str, size: i32) -> i32 {
    let thousandths: i32 = text.chars().map(letter).sum();
    // 15 percent of room, as some fonts are wider.
    thousandths * size * 23 / 20_000 + 1
}

/// How wide and high a label is.
pub(super) fn size(line: &Line) -> (i32, i32) {
    let widest = line.steps.iter().map(|step| width(step.action, LABEL).max(width(&step.roles, LABEL) + 8)).max();
    (widest.unwrap_or(0), i32::try_from(line.steps.len()).unwrap_or(0) * 2 * LEADING)
}

/// A text as it is written in XML.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}

/// The width of a letter in thousandths of its size.
const fn letter(letter: char) -> i32 {
    match letter {
        'i' | 'j' | 'l' | '|' | '\'' => 222,
        'f' | 't' | 'I' | ' ' | '.' | ',' | ':' | ';' | '!' | '/' => 278,
        'r' | '(' | ')' | '[' | ']' | '-' => 333,
        'c' | 'k' | 's' | 'v' | 'x' | 'y' | 'z' | 'J' => 500,
        'L' | 'F' | 'T' | 'Z' => 611,
        'A' | 'B' | 'E' | 'K' | 'P' | 'S' | 'V' | 'X' | 'Y' => 667,
        'w' | 'C' | 'D' | 'H' | 'N' | 'R' | 'U' => 722,
        'G' | 'O' | 'Q' => 778,
        'm' | 'M' => 833,
        'W' | '@' | '%' => 1000,
        letter if letter.is_ascii() => 556,
        // Of other scripts no more is known than that a letter is seldom wider than high.
        _ => 1000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_reckoned_and_escaped() {
        assert!(width("iii", 10) < width("mmm", 10));
        assert!(width("PENDING_PUBLISH", 13) > width("PENDING_PUBLISH", 11));
        assert_eq!(escape("<a & 'b'>\n\""), "&lt;a &amp; &#39;b&#39;&gt; &quot;");
    }
}
