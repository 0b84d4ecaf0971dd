//! What a list of people costs, said before it is taken.

use crate::billing::{SeatPlan, Seats};

use super::count;

/// The sentences about `joining` people who are members at once, and `invited` ones who are when they accept.
pub(super) fn in_words(seats: &Seats, organization: &str, joining: i64, invited: i64) -> String {
    let each = &seats.interval;
    match seats.plan {
        SeatPlan::Given => {
            return format!("An administrator has set the plan of @{organization}: seats are not charged for.");
        }
        SeatPlan::Missing => {
            let price = seats.price.as_ref().map(|price| format!(", at {price} each {each}")).unwrap_or_default();
            return format!("@{organization} has no plan yet. With one, each member takes a seat{price}.");
        }
        SeatPlan::Running => {}
    }
    let added = match joining {
        0 => "No seat is added now.".to_owned(),
        1 => format!("1 seat is added{}, pro rata from today.", costs(seats, 1)),
        _ => format!("{joining} seats are added{}, pro rata from today.", costs(seats, joining)),
    };
    match invited {
        0 => added,
        1 => format!("{added} Who accepts the invitation takes one more{}.", costs(seats, 1)),
        _ => format!(
            "{added} Who accepts an invitation takes one more: {} at most{}.",
            count(invited, "seat"),
            costs(seats, invited)
        ),
    }
}

/// `: 14.00 USD more each month`, where the price is known.
fn costs(seats: &Seats, number: i64) -> String {
    let more = seats.price.as_ref().map(|price| format!(": {} more each {}", price.times(number), seats.interval));
    more.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::Money;

    #[test]
    fn the_cost_of_people_is_said_as_far_as_it_is_known() {
        let price = Some(Money { amount: 700, currency: "usd".into() });
        let seats = |price: &Option<Money>, plan| Seats { price: price.clone(), interval: "month".into(), plan };
        let say =
            |price: &Option<Money>, plan, joining, invited| in_words(&seats(price, plan), "acme", joining, invited);
        let running = SeatPlan::Running;
        assert_eq!(say(&price, running, 2, 0), "2 seats are added: 14.00 USD more each month, pro rata from today.");
        assert_eq!(
            say(&price, running, 1, 3),
            "1 seat is added: 7.00 USD more each month, pro rata from today. Who accepts an invitation takes one more: \
             3 seats at most: 21.00 USD more each month."
        );
        assert_eq!(
            say(&price, running, 0, 1),
            "No seat is added now. Who accepts the invitation takes one more: 7.00 USD more each month."
        );
        assert_eq!(say(&None, running, 2, 0), "2 seats are added, pro rata from today.");
        assert_eq!(
            say(&price, SeatPlan::Missing, 2, 0),
            "@acme has no plan yet. With one, each member takes a seat, at 7.00 USD each month."
        );
        assert!(say(&price, SeatPlan::Given, 2, 0).contains("not charged for"));
    }
}
