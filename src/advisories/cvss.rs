//! The base score of a CVSS 3 vector, by the formula of its specification (3.1, section 7).

/// The base score; `None` for what is no complete vector of version 3.
pub(super) fn base_score(vector: &str) -> Option<f64> {
    let metrics = vector.strip_prefix("CVSS:3.0/").or_else(|| vector.strip_prefix("CVSS:3.1/"))?;
    let value = |name: &str| metrics.split('/').find_map(|metric| metric.strip_prefix(name)?.strip_prefix(':'));
    let changed = match value("S")? {
        "C" => true,
        "U" => false,
        _ => return None,
    };
    let loss = |name: &str| weigh(value(name)?, &[("H", 0.56), ("L", 0.22), ("N", 0.0)]);
    let vector = weigh(value("AV")?, &[("N", 0.85), ("A", 0.62), ("L", 0.55), ("P", 0.2)])?;
    let complexity = weigh(value("AC")?, &[("L", 0.77), ("H", 0.44)])?;
    let (low, high) = if changed { (0.68, 0.5) } else { (0.62, 0.27) };
    let privileges = weigh(value("PR")?, &[("N", 0.85), ("L", low), ("H", high)])?;
    let interaction = weigh(value("UI")?, &[("N", 0.85), ("R", 0.62)])?;
    let losses = 1.0 - (1.0 - loss("C")?) * (1.0 - loss("I")?) * (1.0 - loss("A")?);
    let impact = if changed { 7.52 * (losses - 0.029) - 3.25 * (losses - 0.02).powi(15) } else { 6.42 * losses };
    let exploitability = 8.22 * vector * complexity * privileges * interaction;
    Some(match (impact > 0.0, changed) {
        (false, _) => 0.0,
        (true, true) => round_up((1.08 * (impact + exploitability)).min(10.0)),
        (true, false) => round_up((impact + exploitability).min(10.0)),
    })
}

fn weigh(value: &str, weights: &[(&str, f64)]) -> Option<f64> {
    weights.iter().find(|(name, _)| *name == value).map(|(_, weight)| *weight)
}

/// Up to one decimal, but not for the sake of what floating point adds behind the fifth.
fn round_up(score: f64) -> f64 {
    ((score * 100_000.0).round() / 10_000.0).ceil() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_the_specification() {
        for (vector, expected) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Some(9.8)),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", Some(10.0)),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", Some(6.1)),
            ("CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", Some(3.1)),
            ("CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H", Some(6.7)),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", Some(7.5)),
            ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H/E:P", Some(9.9)),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", Some(0.0)),
            ("CVSS:3.1/AV:N/AC:L", None),
            ("CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", None),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", None),
            ("", None),
        ] {
            assert_eq!(
                base_score(vector).map(|score| format!("{score:.1}")),
                expected.map(|s| format!("{s:.1}")),
                "{vector}"
            );
        }
    }
}
