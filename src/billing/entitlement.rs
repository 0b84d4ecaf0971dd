//! What a subscription is worth: until when its account is paid.
//!
//! Pure, and the whole of it. Whatever Stripe says, the answer has an end: an account that nobody hears about any more
//! lapses by the clock.

use chrono::TimeDelta;

use crate::clock::Time;
use crate::policy::BillingFlag;

use super::store::Before;
use super::stripe::{Status, Subscription};

/// What follows from a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entitlement {
    /// The end of the last period that was paid for.
    pub(super) paid_through: Option<Time>,
    /// The flag; `None` where the subscription says nothing about it, since nothing was ever paid.
    pub(super) flag: Option<BillingFlag>,
}

/// Reads a subscription in the light of what was known of the same one before.
pub(super) fn entitlement(
    subscription: &Subscription,
    before: Option<&Before>,
    grace: TimeDelta,
    now: Time,
) -> Entitlement {
    let before = before.filter(|before| before.subscription == subscription.id);
    let known = before.and_then(|before| before.paid_through);
    match subscription.status {
        Status::Active | Status::Trialing => {
            let paid_through = subscription.period_end().or(known).unwrap_or(now);
            Entitlement { paid_through: Some(paid_through), flag: Some(running(subscription, paid_through, grace)) }
        }
        Status::PastDue => {
            let paid_through = last_paid_end(subscription, before, known, now);
            Entitlement { paid_through: Some(paid_through), flag: Some(running(subscription, paid_through, grace)) }
        }
        Status::Unpaid | Status::Paused | Status::Canceled => {
            let ended = subscription.ended_at.unwrap_or(now);
            let until = known.map_or(ended, |known| ended.min(known + grace));
            Entitlement { paid_through: known, flag: Some(BillingFlag::Paid { until: Some(until) }) }
        }
        Status::Incomplete | Status::IncompleteExpired | Status::Unknown => {
            Entitlement { paid_through: known, flag: None }
        }
    }
}

/// Paid until the days of grace are over, or until the very moment at which it was asked to end.
fn running(subscription: &Subscription, paid_through: Time, grace: TimeDelta) -> BillingFlag {
    let with_grace = paid_through + grace;
    let until = subscription.cancels_at().map_or(with_grace, |end| end.min(with_grace));
    BillingFlag::Paid { until: Some(until) }
}

/// Where a payment failed, Stripe has begun the period that it did not get money for: its beginning is the end of what
/// was paid for. It counts once: what fails month after month is not given grace month after month.
fn last_paid_end(subscription: &Subscription, before: Option<&Before>, known: Option<Time>, now: Time) -> Time {
    let was_failing = before.is_some_and(|before| before.status == Status::PastDue.as_str());
    let began = subscription.period_start().filter(|_| !was_failing);
    known.max(began).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GRACE: TimeDelta = TimeDelta::days(7);

    fn day(number: i64) -> Time {
        chrono::DateTime::from_timestamp(1_700_000_000 + number * 86_400, 0).unwrap()
    }

    fn subscription(status: &str, more: &serde_json::Value) -> Subscription {
        let mut object = json!({
            "id": "sub_1", "status": status, "created": day(0).timestamp(),
            "items": { "data": [{
                "id": "si_1",
                "current_period_start": day(0).timestamp(),
                "current_period_end": day(30).timestamp(),
            }] },
        });
        object.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        serde_json::from_value(object).unwrap()
    }

    fn before(status: &str, paid_through: Option<Time>) -> Before {
        Before { subscription: "sub_1".into(), status: status.into(), paid_through }
    }

    fn until(subscription: &Subscription, before: Option<&Before>, now: Time) -> Option<Time> {
        match entitlement(subscription, before, GRACE, now).flag {
            Some(BillingFlag::Paid { until }) => until,
            _ => None,
        }
    }

    #[test]
    fn a_running_plan_is_paid_for_a_week_longer_than_its_period() {
        for status in ["active", "trialing"] {
            assert_eq!(until(&subscription(status, &json!({})), None, day(1)), Some(day(37)));
        }
    }

    #[test]
    fn what_was_asked_to_end_ends_at_that_moment() {
        let ending = subscription("active", &json!({ "cancel_at_period_end": true }));
        assert_eq!(until(&ending, None, day(1)), Some(day(30)));
        let dated = subscription("active", &json!({ "cancel_at": day(12).timestamp() }));
        assert_eq!(until(&dated, None, day(1)), Some(day(12)));
        let far = subscription("active", &json!({ "cancel_at": day(300).timestamp() }));
        assert_eq!(until(&far, None, day(1)), Some(day(37)), "the next period is not paid for yet");
    }

    #[test]
    fn a_failed_renewal_has_its_grace_once() {
        let second = json!({ "items": { "data": [{
            "id": "si_1",
            "current_period_start": day(30).timestamp(),
            "current_period_end": day(60).timestamp(),
        }] } });
        let failing = subscription("past_due", &second);
        let first = entitlement(&failing, Some(&before("active", Some(day(30)))), GRACE, day(31));
        assert_eq!(first.flag, Some(BillingFlag::Paid { until: Some(day(37)) }));
        let third = subscription(
            "past_due",
            &json!({ "items": { "data": [{
            "id": "si_1",
            "current_period_start": day(60).timestamp(),
            "current_period_end": day(90).timestamp(),
        }] } }),
        );
        assert_eq!(until(&third, Some(&before("past_due", first.paid_through)), day(61)), Some(day(37)));
        // Nothing was heard of the period before: what was paid for ended where this one began.
        assert_eq!(until(&failing, Some(&before("active", Some(day(0)))), day(31)), Some(day(37)));
        assert_eq!(
            until(&subscription("active", &second), Some(&before("past_due", Some(day(30)))), day(33)),
            Some(day(67))
        );
    }

    #[test]
    fn a_payment_that_fails_within_a_period_leaves_the_period() {
        let failing = subscription("past_due", &json!({}));
        assert_eq!(until(&failing, Some(&before("active", Some(day(30)))), day(10)), Some(day(37)));
    }

    #[test]
    fn what_is_over_lapses_when_it_ended_and_never_later_than_it_would_have() {
        let deleted = subscription("canceled", &json!({ "ended_at": day(10).timestamp() }));
        assert_eq!(until(&deleted, Some(&before("active", Some(day(30)))), day(11)), Some(day(10)));
        assert_eq!(until(&deleted, None, day(11)), Some(day(10)));
        let given_up = subscription("unpaid", &json!({}));
        assert_eq!(until(&given_up, Some(&before("past_due", Some(day(30)))), day(50)), Some(day(37)));
        assert_eq!(until(&given_up, Some(&before("past_due", Some(day(30)))), day(35)), Some(day(35)));
    }

    #[test]
    fn what_was_never_paid_says_nothing() {
        for status in ["incomplete", "incomplete_expired", "a_status_of_the_future"] {
            assert_eq!(entitlement(&subscription(status, &json!({})), None, GRACE, day(1)).flag, None);
        }
    }

    #[test]
    fn another_subscription_is_judged_by_itself() {
        let other = Before { subscription: "sub_0".into(), status: "past_due".into(), paid_through: Some(day(-30)) };
        assert_eq!(until(&subscription("past_due", &json!({})), Some(&other), day(1)), Some(day(7)));
    }
}
