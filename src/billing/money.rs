//! Amounts of money, as payment services count them: in the smallest unit of their currency.

use std::fmt;

/// Currencies without a smaller unit, and those with a thousand of them.
const WHOLE: [&str; 16] =
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"];
const THOUSANDTHS: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];

/// An amount in its currency. Shown as `7.00 USD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    /// In the smallest unit of the currency.
    pub amount: i64,
    /// The three letters of ISO 4217, small as payment services write them.
    pub currency: String,
}

impl Money {
    /// So often the same.
    #[must_use]
    pub fn times(&self, count: i64) -> Self {
        Self { amount: self.amount.saturating_mul(count), currency: self.currency.clone() }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let currency = self.currency.to_ascii_lowercase();
        let shown = currency.to_ascii_uppercase();
        let digits = match &*currency {
            whole if WHOLE.contains(&whole) => return write!(formatter, "{} {shown}", self.amount),
            fine if THOUSANDTHS.contains(&fine) => 3,
            _ => 2,
        };
        let unit = 10_u64.pow(digits);
        let sign = if self.amount < 0 { "-" } else { "" };
        let amount = self.amount.unsigned_abs();
        let digits = digits as usize;
        write!(formatter, "{sign}{}.{:0digits$} {shown}", amount / unit, amount % unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_currency_is_shown_with_its_own_unit() {
        let shown = |amount, currency: &str| Money { amount, currency: currency.into() }.to_string();
        assert_eq!(shown(700, "usd"), "7.00 USD");
        assert_eq!(shown(705, "eur"), "7.05 EUR");
        assert_eq!(shown(-5, "eur"), "-0.05 EUR");
        assert_eq!(shown(700, "jpy"), "700 JPY");
        assert_eq!(shown(7005, "KWD"), "7.005 KWD");
        assert_eq!(Money { amount: 700, currency: "usd".into() }.times(12).to_string(), "84.00 USD");
    }
}
