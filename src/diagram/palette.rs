//! Colours and words: where the money is, and who takes a step.
//!
//! The colours are those of Masataka Okabe and Kei Ito, "Color Universal Design" (2008), which stay apart for people who
//! see colours differently. None of them stands alone: each has a word, a border or a dash of its own.

use crate::{lifecycle::Table, party::Duty};

/// Where the money is in a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing has been paid.
    None,
    /// The escrow account holds it.
    Held,
    /// The escrow account may hold some.
    Either,
    /// It left, and has not arrived yet.
    Leaving,
    /// Nothing more happens.
    Done,
}

/// Who takes a step, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taker {
    /// One of the two sides.
    Side,
    /// An office.
    Office,
    /// The clock.
    Clock,
    /// The gateway.
    Gateway,
    /// More than one of these kinds.
    Several,
}

/// A colour as it is written in all three formats.
pub(super) type Colour = &'static str;

pub(super) const INK: Colour = "#1A1A1A";
pub(super) const QUIET: Colour = "#555555";
pub(super) const PAPER: Colour = "#FFFFFF";
/// Borders of what is faded.
pub(super) const PALE: Colour = "#B0B0B0";

impl Place {
    pub(super) const ALL: [Self; 5] = [Self::None, Self::Held, Self::Either, Self::Leaving, Self::Done];

    /// Where the money is in each status of a table.
    pub(super) fn all(table: &Table) -> Vec<Self> {
        use crate::lifecycle::{Flow, Holds};
        let count = table.statuses.len();
        let mut leaving = vec![false; count];
        // At most once per status: each round reaches at least one more.
        for _ in 0..=count {
            for edge in table.edges {
                let leaves = match edge.money {
                    Flow::Refund | Flow::Release | Flow::Divide => true,
                    Flow::Keep | Flow::Collect | Flow::Part | Flow::Pass => {
                        edge.from.iter().any(|from| leaving.get(*from).is_some_and(|leaving| *leaving))
                    }
                };
                for to in edge.to.iter().filter(|_| leaves) {
                    if table.statuses.get(*to).is_some_and(|row| row.holds == Holds::Nothing) {
                        leaving[*to] = true;
                    }
                }
            }
        }
        let place = |(status, row): (usize, &crate::lifecycle::StatusRow)| match row.holds {
            Holds::Nothing | Holds::Funds | Holds::Either if table.is_end(status) => Self::Done,
            Holds::Nothing if leaving[status] => Self::Leaving,
            Holds::Nothing => Self::None,
            Holds::Funds => Self::Held,
            Holds::Either => Self::Either,
        };
        table.statuses.iter().enumerate().map(place).collect()
    }

    /// Its name in code: a CSS class.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::None => "unpaid",
            Self::Held => "held",
            Self::Either => "either",
            Self::Leaving => "leaving",
            Self::Done => "done",
        }
    }

    /// What a reader is told.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::None => "no money yet",
            Self::Held => "holds money",
            Self::Either => "may hold money",
            Self::Leaving => "money on its way",
            Self::Done => "over",
        }
    }

    /// A letter-like sign, for formats that draw no shapes.
    pub(super) const fn sign(self) -> char {
        match self {
            Self::None => '○',
            Self::Held => '●',
            Self::Either => '◐',
            Self::Leaving => '→',
            Self::Done => '■',
        }
    }

    pub(super) const fn fill(self) -> Colour {
        match self {
            Self::None => PAPER,
            Self::Held => "#56B4E9",
            Self::Either => "#F0E442",
            Self::Leaving => "#E69F00",
            Self::Done => "#009E73",
        }
    }

    /// The fill of a status that is not on the path that is lit: a fifth of the colour on paper.
    pub(super) const fn faint(self) -> Colour {
        match self {
            Self::None => PAPER,
            Self::Held => "#DDF0FB",
            Self::Either => "#FCFAD9",
            Self::Leaving => "#FAECCC",
            Self::Done => "#CCECE3",
        }
    }

    /// The dashes of its border; empty for an unbroken one.
    pub(super) const fn dashes(self) -> &'static str {
        match self {
            Self::None | Self::Held | Self::Done => "",
            Self::Either => "7 4",
            Self::Leaving => "2 3",
        }
    }

    /// Whether its border is heavy.
    pub(super) const fn is_heavy(self) -> bool {
        match self {
            Self::Held => true,
            Self::None | Self::Either | Self::Leaving | Self::Done => false,
        }
    }
}

impl Taker {
    pub(super) const ALL: [Self; 5] = [Self::Side, Self::Office, Self::Clock, Self::Gateway, Self::Several];

    /// Who takes a step that this role, too, may take.
    pub(super) fn and(so_far: Option<Self>, duty: Duty) -> Self {
        let other = match duty {
            Duty::Party => Self::Side,
            Duty::Office => Self::Office,
            Duty::Clock => Self::Clock,
            Duty::Gateway => Self::Gateway,
        };
        so_far.map_or(other, |one| if one == other { one } else { Self::Several })
    }

    /// What a reader is told.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Side => "a side acts",
            Self::Office => "an office acts",
            Self::Clock => "the clock",
            Self::Gateway => "the gateway",
            Self::Several => "more than one of them",
        }
    }

    pub(super) const fn colour(self) -> Colour {
        match self {
            Self::Side => "#0072B2",
            Self::Office => "#D55E00",
            Self::Clock => "#CC79A7",
            Self::Gateway => "#009E73",
            Self::Several => INK,
        }
    }

    /// The dashes of its line; empty for an unbroken one.
    pub(super) const fn dashes(self) -> &'static str {
        match self {
            Self::Side | Self::Several => "",
            Self::Office => "9 4",
            Self::Clock => "2 4",
            Self::Gateway => "10 3 2 3",
        }
    }

    /// Whether the tip of its arrow is hollow.
    pub(super) const fn is_hollow(self) -> bool {
        match self {
            Self::Several => true,
            Self::Side | Self::Office | Self::Clock | Self::Gateway => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(colour: Colour) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(one: Colour, other: Colour) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn money_is_placed() {
        use crate::{order, payment::payout, transaction};
        for (table, status, place) in [
            (&order::TABLE, "FAILURE", Place::None),
            (&order::TABLE, "ACCEPTED", Place::Held),
            (&order::TABLE, "BLOCKED_RELEASE", Place::Either),
            (&order::TABLE, "PENDING_RELEASE", Place::Leaving),
            (&order::TABLE, "REJECTED", Place::Done),
            (&transaction::TABLE, "cancelled", Place::Leaving),
            (&payout::TABLE, "DENIED", Place::Either),
        ] {
            assert_eq!(Place::all(table)[table.status(status).unwrap()], place, "{status}");
        }
    }

    #[test]
    fn text_stands_out() {
        assert!((contrast("#FFFFFF", "#000000") - 21.0).abs() < 1e-9);
        for place in Place::ALL {
            assert!(contrast(INK, place.fill()) >= 4.5, "{place:?}");
            assert!(contrast(QUIET, place.faint()) >= 4.5, "{place:?}");
        }
        assert!(contrast(INK, PAPER) >= 4.5 && contrast(QUIET, PAPER) >= 4.5);
    }

    #[test]
    fn lines_stand_out() {
        for taker in Taker::ALL {
            assert!(contrast(taker.colour(), PAPER) >= 3.0, "{taker:?}");
        }
    }

    #[test]
    fn nothing_is_told_by_colour_alone() {
        for (i, place) in Place::ALL.iter().enumerate() {
            for other in &Place::ALL[i + 1..] {
                assert_ne!(place.word(), other.word());
                assert_ne!(place.sign(), other.sign());
                let border = |place: &Place| (place.dashes(), place.is_heavy(), *place == Place::Done);
                assert_ne!(border(place), border(other));
            }
        }
        for (i, taker) in Taker::ALL.iter().enumerate() {
            for other in &Taker::ALL[i + 1..] {
                assert_ne!((taker.dashes(), taker.is_hollow()), (other.dashes(), other.is_hollow()));
                assert_ne!(taker.word(), other.word());
            }
        }
    }
}
