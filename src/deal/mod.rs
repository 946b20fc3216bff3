//! What two people who deal with each other have in common, whatever the lifecycle: two sides, payins, a complaint
//! period, an award.
//!
//! ```
//! use escrowed::deal::{Award, Period, Side};
//!
//! assert_eq!(Side::Buyer.other(), Side::Seller);
//! assert_eq!(Period::hours(24).to_string(), "24 h");
//! let award = Award { buyer: "30.00 EUR".parse()?, seller: "70.00 EUR".parse()? };
//! assert!(award.adds_up_to("100.00 EUR".parse()?).is_ok());
//! assert!(award.adds_up_to("100.01 EUR".parse()?).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod award;
mod evidence;
mod leaving;
mod period;
mod side;
mod till;

pub(crate) use award::decided_by_award;
pub use award::{Award, Awarded};
pub use evidence::Lost;
pub use leaving::Leaving;
pub use period::{ComplaintPeriod, Period};
pub use side::{Side, Sides};
pub use till::Till;

pub(crate) use evidence::{Counted, PayinClosed, PayinOpened};
pub(crate) use leaving::leaving;
pub(crate) use period::later;
