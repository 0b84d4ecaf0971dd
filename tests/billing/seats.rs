//! Organizations pay for each member: the seats follow whoever comes and goes.

use strongroom::billing::Subscribed;
use strongroom::names::AccountName;
use strongroom::policy::{Actor, HolderPermit, OrganizationAction, OrganizationPermit, OrganizationRole};

use crate::place::Place;
use crate::stand_in::{FAILING_CARD, GOOD_CARD};
use crate::support::app::Package;

async fn quantity(place: &Place, subscription: &serde_json::Value) -> i64 {
    let path = format!("/v1/subscriptions/{}", subscription["id"].as_str().expect("an id"));
    let present = place.stripe.stripe("GET", &path, &[]).await;
    present["items"]["data"][0]["quantity"].as_i64().expect("a number")
}

pub(crate) async fn members(place: &Place) -> OrganizationPermit {
    let acme: AccountName = "acme".parse().expect("a name");
    let permit = place.app.app.organizations.permit(&Actor::Operator, &acme, OrganizationAction::ChangeMembers);
    permit.await.expect("a permit")
}

#[tokio::test]
async fn seats_follow_the_members() {
    let place = Place::new().await;
    let ada = place.app.user("ada").await;
    let bob = place.app.user("bob").await;
    place.app.user("carol").await;
    place.app.organization("acme", "ada", &[("bob", "developer")]).await;
    let permit = place.organization(&ada, "acme").await;
    let payer = HolderPermit::Organization(&permit);
    bob.publish(&Package::new("@acme/x", "1.0.0")).await.expect(402);

    let page = place.app.app.billing.checkout(&payer).await.expect("a checkout");
    let session = place.stripe.session(&page);
    assert_eq!(session["success_url"], "http://registry.test/org/acme/billing?checkout=done");
    assert_eq!(session["line_items_asked"]["price"], "plan_seat");
    assert_eq!(session["line_items_asked"]["quantity"], "2");
    let subscription = place.stripe.pay(&page, GOOD_CARD).await;
    place.run_ask().await;
    // The members are covered by the seats of the organization: they have no plan of their own.
    bob.publish(&Package::new("@acme/x", "1.0.0")).await.expect(201);

    let organizations = &place.app.app.organizations;
    let carol = "carol".parse().expect("a name");
    organizations.set_member(&members(&place).await, &carol, OrganizationRole::Member).await.expect("a member");
    place.app.run_chore("billing.ask").await;
    assert_eq!(quantity(&place, &subscription).await, 3);
    let overview = place.overview(&payer).await;
    assert_eq!((overview.seats(), overview.running().expect("a plan").seats), (3, 3));
    assert_eq!(overview.running().and_then(Subscribed::price).expect("a price").to_string(), "21.00 USD");

    // Another role is no other seat: nobody is asked.
    place.stripe.take_asked();
    organizations.set_member(&members(&place).await, &carol, OrganizationRole::Admin).await.expect("a role");
    place.app.run_chore("billing.ask").await;
    assert!(place.stripe.take_asked().is_empty(), "Stripe was asked");

    organizations.remove_member(&members(&place).await, &carol).await.expect("gone");
    organizations.remove_member(&members(&place).await, &"bob".parse().expect("a name")).await.expect("gone");
    place.app.run_chore("billing.ask").await;
    assert_eq!(quantity(&place, &subscription).await, 1);
}

#[tokio::test]
async fn seats_that_could_not_be_set_are_set_later() {
    let place = Place::new().await;
    let ada = place.app.user("ada").await;
    place.app.user("bob").await;
    place.app.organization("acme", "ada", &[]).await;
    let permit = place.organization(&ada, "acme").await;
    let subscription = place.buy(&HolderPermit::Organization(&permit), GOOD_CARD).await;
    place.run_ask().await;

    place.stripe.answer_with(503);
    let bob = "bob".parse().expect("a name");
    let organizations = &place.app.app.organizations;
    organizations.set_member(&members(&place).await, &bob, OrganizationRole::Member).await.expect("a member");
    place.app.run_chore("billing.ask").await;
    assert_eq!(quantity(&place, &subscription).await, 1);
    place.stripe.answer_with(0);
    place.app.clock.set(place.app.clock.now() + chrono::TimeDelta::minutes(2));
    place.app.run_chore("billing.ask").await;
    assert_eq!(quantity(&place, &subscription).await, 2);
}

#[tokio::test]
async fn a_change_of_members_that_is_not_made_changes_no_seats() {
    let place = Place::new().await;
    let ada = place.app.user("ada").await;
    place.app.organization("acme", "ada", &[]).await;
    let permit = place.organization(&ada, "acme").await;
    place.buy(&HolderPermit::Organization(&permit), GOOD_CARD).await;
    place.run_ask().await;
    place.stripe.take_asked();
    let organizations = &place.app.app.organizations;
    let refused = organizations.remove_member(&members(&place).await, &"ada".parse().expect("a name")).await;
    assert_eq!(refused.expect_err("the last owner").status(), 422);
    place.app.run_chore("billing.ask").await;
    assert!(place.stripe.take_asked().is_empty(), "Stripe was asked");
}

#[tokio::test]
async fn only_owners_have_to_do_with_the_plan_of_an_organization() {
    let place = Place::new().await;
    let ada = place.app.user("ada").await;
    place.app.user("bob").await;
    let bob = place.app.user("carol").await;
    place.app.organization("acme", "ada", &[("bob", "developer"), ("carol", "admin")]).await;
    let acme = "acme".parse().expect("a name");
    for action in [OrganizationAction::SeeBilling, OrganizationAction::ChangeBilling] {
        let organizations = &place.app.app.organizations;
        let refused = organizations.permit(&place.actor(&bob).await, &acme, action).await;
        assert_eq!(refused.expect_err("an admin is no owner").status(), 403);
        organizations.permit(&place.actor(&ada).await, &acme, action).await.expect("an owner");
    }
    let look =
        place.app.app.organizations.permit(&place.actor(&ada).await, &acme, OrganizationAction::SeeBilling).await;
    let look = look.expect("a permit");
    let refused = place.app.app.billing.checkout(&HolderPermit::Organization(&look)).await;
    assert_eq!(refused.expect_err("to look is not to buy").status(), 500);
}

#[tokio::test]
async fn a_report_says_what_was_paid_in_a_month() {
    let place = Place::new().await;
    let ada = place.app.user("ada").await;
    let bob = place.app.user("bob").await;
    place.app.organization("acme", "ada", &[("bob", "developer")]).await;
    let permit = place.organization(&ada, "acme").await;
    place.buy(&HolderPermit::Organization(&permit), GOOD_CARD).await;
    let own = place.own(&bob).await;
    place.buy(&HolderPermit::User(&own), FAILING_CARD).await;
    place.run_ask().await;
    let now = place.app.clock.now();
    let (from, to) = (now - chrono::TimeDelta::days(1), now + chrono::TimeDelta::days(1));
    let lines = place.app.app.billing.report(from, to).await.expect("a report");
    let shown: Vec<_> = lines
        .iter()
        .map(|line| format!("{} {} {:?}", line.name, line.members, line.income.as_ref().map(ToString::to_string)))
        .collect();
    assert_eq!(shown, ["acme 2 Some(\"14.00 USD\")", "ada 0 None", "bob 0 None"]);
    let before = place.app.app.billing.report(from - chrono::TimeDelta::days(9), from).await.expect("a report");
    assert!(before.is_empty(), "{before:?}");
    let plans = place.app.app.billing.plans().await.expect("plans");
    assert_eq!((plans.paid_users, plans.paid_organizations), (0, 1));
}
