//! Invitations: to an account, to a package, to an organization.

use chrono::TimeDelta;
use strongroom::audit::By;
use strongroom::config::{BillingProvider, Signup};
use strongroom::error::Error;
use strongroom::invitations::{Door, Invitee, Offered, Place, Sent};
use strongroom::names::AccountName;
use strongroom::policy::{
    AccountAction, AccountPermit, Actor, Administer, BillingFlag, InstanceAction, Intent, OrganizationAction,
    OrganizationPermit, OrganizationRole, Permission, Permit, permit_instance,
};
use strongroom::users::{NewUser, Password};

use crate::mail::by;
use crate::noticing::{letters_to, subjects};
use crate::recovery::code_in;
use crate::support::app::{PASSWORD, Package, Person, TestApp};
use crate::support::smtp::{Received, Smtp};

async fn actor(app: &TestApp, person: &Person<'_>) -> Actor {
    let token = person.token.as_deref().expect("a token");
    app.app.tokens.authenticate(token, [192, 0, 2, 9].into()).await.expect("an actor")
}

async fn own(app: &TestApp, person: &Person<'_>) -> AccountPermit {
    let actor = actor(app, person).await;
    app.app.second_factor.permit(&actor, AccountAction::Follow).await.expect("a permit")
}

async fn sharing(app: &TestApp, person: &Person<'_>, package: &str) -> Permit<Administer> {
    let name = package.parse().expect("a name");
    app.app.access.permit(&actor(app, person).await, &name, Intent::GRANT).await.expect("a permit")
}

async fn joining(app: &TestApp, person: &Person<'_>, organization: &str) -> OrganizationPermit {
    let name = organization.parse().expect("a name");
    let action = OrganizationAction::ChangeMembers;
    app.app.organizations.permit(&actor(app, person).await, &name, action).await.expect("a permit")
}

fn invitee(text: &str) -> Invitee {
    Invitee::read(text).expect("an address or a name")
}

fn url(sent: &Sent) -> &str {
    sent.url.as_deref().expect("a link to hand over")
}

#[tokio::test]
async fn a_package_is_shared_by_mail_and_read_only_once_it_is_accepted() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let permit = sharing(&app, &alice, "@alice/one").await;
    let invitations = &app.app.invitations;
    let sent = invitations.invite_to_package(&permit, &invitee("Bob@Example.com")).await.expect("an invitation");
    assert!(sent.url.is_none(), "the link is for who reads the mail alone");
    let listed = invitations.list(Place::Package(&permit)).await.expect("a list");
    assert_eq!((listed.len(), listed[0].invitee.to_string().as_str()), (1, "Bob@Example.com"));
    app.run_chore("mail.deliver").await;
    let letter = smtp.take_letter_to("Bob@Example.com");
    assert!(letter.line("Subject").contains("alice") && letter.body.contains("@alice/one"), "{letter:?}");
    bob.get("/@alice/one").await.expect(404);

    // A browser, from the link to the package.
    let browser = app.browser();
    let path = letter.link().strip_prefix("http://registry.test").expect("our address").to_owned();
    let page = browser.get(&path).await.expect(200);
    assert!(page.text("main").contains("alice") && page.text("main").contains("@alice/one"));
    let login = page.attributes("a.primary", "href").remove(0);
    let form = browser.get(&login).await.form("/login").fill("name", "bob").fill("password", PASSWORD);
    let page = browser.submit_and_follow(form).await.expect(200);
    let sent = browser.submit(page.form(&path).press("decision", "accept")).await.expect(303);
    assert_eq!(sent.location(), "/package/@alice/one");
    bob.get("/@alice/one").await.expect(200);
    bob.publish(&Package::new("@alice/one", "1.1.0")).await.expect(403);
    browser.get(&path).await.expect(404);
    assert!(invitations.list(Place::Package(&permit)).await.expect("a list").is_empty());
    // Whoever had the link reads what is sent there.
    assert_eq!(bob.get("/-/npm/v1/user").await.json()["email_verified"], true);
    let again = invitations.invite_to_package(&permit, &invitee("bob")).await;
    assert!(matches!(again, Err(Error::Unprocessable(_))), "who has access is not invited");
}

#[tokio::test]
async fn an_invitation_gives_what_its_inviter_can_give_when_it_is_accepted() {
    let app = TestApp::new().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    app.user("carol").await;
    app.organization("acme", "alice", &[("carol", "owner")]).await;
    let carol = app.token("carol", strongroom::policy::Narrowing::default(), None).await;
    carol.publish(&Package::new("@acme/one", "1.0.0")).await.expect(201);
    let invitations = &app.app.invitations;
    let package = invitations
        .invite_to_package(&sharing(&app, &carol, "@acme/one").await, &invitee("bob"))
        .await
        .expect("an invitation");
    let member = invitations
        .invite_to_organization(&joining(&app, &carol, "acme").await, &invitee("bob"), OrganizationRole::Owner, &[])
        .await
        .expect("an invitation");
    let carols: AccountName = "carol".parse().expect("a name");
    app.app.organizations.remove_member(&joining(&app, &alice, "acme").await, &carols).await.expect("carol is out");
    for sent in [&package, &member] {
        let refused = invitations.accept(&own(&app, &bob).await, Door::Code(code_in(url(sent)))).await;
        let Err(Error::Forbidden(sentence)) = refused else { panic!("{refused:?}") };
        assert!(sentence.contains("carol can no longer"), "{sentence}");
    }
    bob.get("/@acme/one").await.expect(404);
    // It is open still: what was refused has changed nothing.
    assert_eq!(invitations.list_own(&own(&app, &bob).await).await.expect("a list").len(), 2);
    app.app.users.set_disabled(&carols, true).await.expect("off");
    let gone = invitations.accept(&own(&app, &bob).await, Door::Code(code_in(url(&package)))).await;
    assert!(matches!(gone, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn who_has_no_plan_is_told_so_and_keeps_the_invitation() {
    let app = TestApp::with(|config| config.billing.provider = BillingProvider::Manual).await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    app.set_billing("alice", BillingFlag::Paid { until: None }).await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let permit = sharing(&app, &alice, "@alice/one").await;
    let sent = app.app.invitations.invite_to_package(&permit, &invitee("bob")).await.expect("an invitation");
    let code = code_in(url(&sent)).to_owned();
    let refused = app.app.invitations.accept(&own(&app, &bob).await, Door::Code(&code)).await;
    assert!(
        matches!(&refused, Err(Error::PaymentRequired { sentence, .. }) if sentence.contains("bob")),
        "{refused:?}"
    );
    app.set_billing("bob", BillingFlag::Paid { until: None }).await;
    app.app.invitations.accept(&own(&app, &bob).await, Door::Code(&code)).await.expect("access");
    bob.get("/@alice/one").await.expect(200);
}

#[tokio::test]
async fn an_invitation_is_of_whom_it_names_and_of_who_has_its_link() {
    let app = TestApp::new().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    let eve = app.user("eve").await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let permit = sharing(&app, &alice, "@alice/one").await;
    let invitations = &app.app.invitations;
    let sent = invitations.invite_to_package(&permit, &invitee("bob")).await.expect("an invitation");
    let (key, code) = (sent.key.clone(), code_in(url(&sent)).to_owned());
    for door in [Door::Code(&code), Door::Own(&key)] {
        assert!(invitations.accept(&own(&app, &eve).await, door).await.is_err());
        assert!(invitations.decline(Some(&own(&app, &eve).await), door).await.is_err());
    }
    assert!(invitations.decline(None, Door::Own(&key)).await.is_err());
    assert!(invitations.list_own(&own(&app, &eve).await).await.expect("a list").is_empty());
    let listed = invitations.list_own(&own(&app, &bob).await).await.expect("a list");
    assert_eq!(listed[0].key, key);
    // One that is sent to an address shows to whose the address is known to be, and to nobody who merely says so.
    invitations.invite_to_package(&permit, &invitee("eve@example.com")).await.expect("an invitation");
    assert!(invitations.list_own(&own(&app, &eve).await).await.expect("a list").is_empty());
    // By name it is answered from the list.
    let browser = app.logged_in("bob").await;
    let page = browser.get("/invitations").await.expect(200);
    let action = format!("/invitations/{key}");
    browser.submit(page.form(&action).press("decision", "accept")).await.expect(303);
    bob.get("/@alice/one").await.expect(200);
    assert!(browser.get("/invitations").await.expect(200).text(".empty").contains("Nobody"));
}

#[tokio::test]
async fn invitations_are_sent_again_taken_back_and_end() {
    let app = TestApp::new().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let permit = sharing(&app, &alice, "@alice/one").await;
    let (invitations, place) = (&app.app.invitations, Place::Package(&permit));
    let first = invitations.invite_to_package(&permit, &invitee("bob")).await.expect("an invitation");
    assert!(matches!(invitations.resend(place, &first.key).await, Err(Error::TooManyRequests { .. })));
    app.clock.set(app.clock.now() + TimeDelta::minutes(2));
    let second = invitations.resend(place, &first.key).await.expect("another link");
    assert_eq!(first.key, second.key);
    assert!(invitations.find(code_in(url(&first))).await.is_err(), "the link before is over");
    invitations.find(code_in(url(&second))).await.expect("an invitation");
    // Inviting again takes the place of the one before.
    let third = invitations.invite_to_package(&permit, &invitee("bob")).await.expect("an invitation");
    assert!(invitations.find(code_in(url(&second))).await.is_err());
    assert_eq!(invitations.list(place).await.expect("a list").len(), 1);
    // A week later it is over, and shown to the inviter alone, who can send it again.
    app.clock.set(app.clock.now() + TimeDelta::days(7));
    assert!(invitations.accept(&own(&app, &bob).await, Door::Code(code_in(url(&third)))).await.is_err());
    assert!(invitations.list_own(&own(&app, &bob).await).await.expect("a list").is_empty());
    assert_eq!(invitations.list(place).await.expect("a list").len(), 1);
    let fourth = invitations.resend(place, &third.key).await.expect("another link");
    invitations.revoke(place, &fourth.key).await.expect("taken back");
    assert!(invitations.accept(&own(&app, &bob).await, Door::Code(code_in(url(&fourth)))).await.is_err());
    assert!(matches!(invitations.revoke(place, &fourth.key).await, Err(Error::NotFound(_))));
    bob.get("/@alice/one").await.expect(404);
}

#[tokio::test]
async fn what_somebody_has_is_not_lowered_by_an_invitation() {
    let app = TestApp::new().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let permit = sharing(&app, &alice, "@alice/one").await;
    let sent = app.app.invitations.invite_to_package(&permit, &invitee("bob")).await.expect("an invitation");
    app.grant("@alice/one", "bob", Permission::ReadWrite).await;
    app.app.invitations.accept(&own(&app, &bob).await, Door::Code(code_in(url(&sent)))).await.expect("a yes");
    bob.publish(&Package::new("@alice/one", "1.1.0")).await.expect(201);
}

#[tokio::test]
async fn a_list_of_people_is_invited_to_an_organization_with_roles_and_teams() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    app.organization("acme", "alice", &[]).await;
    let permit = joining(&app, &alice, "acme").await;
    app.app.organizations.create_team(&permit, &"core".parse().expect("a name"), "").await.expect("a team");
    let text = "who,role,teams\nbob,admin,core\ncarol@example.com\nnobody\nalice\ndave@example.com,member,nowhere\n";
    let lines = strongroom::invitations::read_list(text, OrganizationRole::Member);
    let wanted: Vec<_> = lines.into_iter().map(|line| line.read.expect("a line")).collect();
    let outcomes = app.app.invitations.invite_many(&permit, &wanted).await;
    let told: Vec<u16> = outcomes.iter().map(|outcome| outcome.as_ref().map_or_else(Error::status, |_| 200)).collect();
    assert_eq!(told, [200, 200, 404, 422, 404]);
    app.run_chore("mail.deliver").await;
    smtp.take_letter_to("carol@example.com");
    let letter = smtp.take_letter_to("bob@example.com");
    let offered = app.app.invitations.accept(&own(&app, &bob).await, Door::Code(code_in(letter.link()))).await;
    let Ok(Offered::Organization { role, .. }) = offered else { panic!("{offered:?}") };
    assert_eq!(role, OrganizationRole::Admin);
    let members = alice.get("/-/org/acme/user").await.expect(200).json();
    assert_eq!(members["bob"], "admin");
    for team in ["core", "developers"] {
        let users = alice.get(&format!("/-/team/acme/{team}/user")).await.expect(200).json();
        assert!(users.to_string().contains("\"bob\""), "{team}: {users}");
    }
}

#[tokio::test]
async fn where_sign_up_is_by_invitation_an_administrator_lets_people_in() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(|config| {
        by(&smtp)(config);
        config.auth.signup = Some(Signup::Invite);
    })
    .await;
    let (ada, eve) = (app.administrator("ada").await, app.user("eve").await);
    let invitations = &app.app.invitations;
    assert!(
        permit_instance(&actor(&app, &eve).await, InstanceAction::ChangeAccounts).is_err(),
        "who administers nothing invites nobody"
    );
    let permit = permit_instance(&actor(&app, &ada).await, InstanceAction::ChangeAccounts).expect("a permit");
    let email = "bob@example.com".parse().expect("an address");
    invitations.invite_to_instance(&permit, &email).await.expect("an invitation");
    app.run_chore("mail.deliver").await;
    let letter = smtp.take_letter_to("bob@example.com");
    let path = letter.link().strip_prefix("http://registry.test").expect("our address").to_owned();
    let browser = app.browser();
    let signup = browser.get(&path).await.expect(303).location();
    let page = browser.get(&signup).await.expect(200);
    assert!(page.text("main").contains("bob@example.com"));
    let form = page.form("/signup").fill("name", "bob").fill("password", PASSWORD);
    // The address is that of the invitation, whatever the form says.
    browser.submit(form.clone().fill("email", "eve@example.com")).await.expect(303);
    assert!(browser.get("/").await.text("header").contains("bob"));
    let bob = app.token("bob", strongroom::policy::Narrowing::default(), None).await;
    let profile = bob.get("/-/npm/v1/user").await.expect(200).json();
    assert_eq!((&profile["email"], &profile["email_verified"]), (&"bob@example.com".into(), &true.into()));
    // It was good for one account.
    let again = app.browser().submit(form.fill("name", "carol")).await.expect(422);
    assert!(again.text("main").contains("by invitation"));
    assert!(app.app.users.find(&"carol".parse().expect("a name")).await.expect("an answer").is_none());
}

#[tokio::test]
async fn who_was_invited_to_a_package_may_sign_up_for_it_first() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(|config| {
        by(&smtp)(config);
        config.auth.signup = Some(Signup::Invite);
    })
    .await;
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let permit = sharing(&app, &alice, "@alice/one").await;
    app.app.invitations.invite_to_package(&permit, &invitee("bob@example.com")).await.expect("an invitation");
    app.run_chore("mail.deliver").await;
    let letter = smtp.take_letter_to("bob@example.com");
    let path = letter.link().strip_prefix("http://registry.test").expect("our address").to_owned();
    let browser = app.browser();
    let signup = browser.get(&path).await.expect(200).attributes("p.buttons a", "href").remove(1);
    let form = browser.get(&signup).await.expect(200).form("/signup").fill("name", "bob").fill("password", PASSWORD);
    let page = browser.submit_and_follow(form).await.expect(200);
    assert_eq!(page.path, path);
    // It has made one account, and makes no other, nor does it let another one in.
    let code = path.rsplit('/').next().expect("a code");
    let other = NewUser {
        name: "eve".parse().expect("a name"),
        email: "eve@example.com".parse().expect("an address"),
        password: Password::chosen(PASSWORD).expect("a password"),
        administrator: false,
    };
    let refused = app.app.invitations.sign_up(Some(code), other, &By::default()).await;
    assert!(matches!(refused, Err(Error::NotFound(_))), "{refused:?}");
    browser.submit(page.form(&path).press("decision", "accept")).await.expect(303);
    // Who owns the package sees who came in.
    let seen: Vec<String> = sqlx::query_scalar(
        "select detail ->> 'user' from audit_events join accounts on accounts.id = scope_id
         where action = 'invitation.accept' and accounts.name = 'alice'",
    )
    .fetch_all(&app.pool().await)
    .await
    .expect("rows");
    assert_eq!(seen, ["bob"]);
    let bob = app.token("bob", strongroom::policy::Narrowing::default(), None).await;
    bob.get("/@alice/one").await.expect(200);
}

#[tokio::test]
async fn the_access_page_invites_by_mail_address() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    let alice = app.user("alice").await;
    app.user("bob").await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let (path, browser) = ("/package/@alice/one/access", app.session("alice").await);
    let add = browser.get(path).await.expect(200).form(path).fill("who", "Eve@Example.com").press("add", "1");
    let page = browser.submit_and_follow(add).await.expect(200);
    assert!(page.text(".bar").contains("on its way to Eve@Example.com"), "{}", page.text(".bar"));
    let rows = page.texts("tbody tr");
    assert!(rows.iter().any(|row| row.contains("Eve@Example.com") && row.contains("invited by alice")), "{rows:?}");
    app.run_chore("mail.deliver").await;
    smtp.take_letter_to("Eve@Example.com");
    app.clock.set(app.clock.now() + TimeDelta::minutes(2));
    let form = |page: &crate::support::browser::Page| {
        let forms = page.forms(path);
        forms.into_iter().find(|form| form.fields.iter().any(|(name, _)| name == "invitation")).expect("a form")
    };
    let page = browser.submit_and_follow(form(&page).press("do", "resend")).await.expect(200);
    app.run_chore("mail.deliver").await;
    let letter = smtp.take_letter_to("Eve@Example.com");
    let page = browser.submit_and_follow(form(&page).press("do", "revoke")).await.expect(200);
    assert!(!page.text("table").contains("Eve@Example.com"));
    assert!(app.app.invitations.find(code_in(letter.link())).await.is_err());
    // Only who can take an invitation back sees whom it is for.
    let add = page.form(path).fill("who", "eve@example.com").press("add", "1");
    browser.submit(add).await.expect(303);
    app.grant("@alice/one", "bob", Permission::ReadWrite).await;
    let bob = app.session("bob").await;
    assert!(!bob.get(path).await.expect(200).html().contains("eve@example.com"));
    let wrong = browser.get(path).await.form(path).fill("who", "eve@").press("add", "1");
    assert_eq!(browser.submit(wrong).await.expect(422).attributes(".summary a", "href"), ["#who"]);
}

#[tokio::test]
async fn declining_needs_no_account() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let permit = sharing(&app, &alice, "@alice/one").await;
    let sent = app.app.invitations.invite_to_package(&permit, &invitee("x@example.com")).await.expect("an invitation");
    let path = url(&sent).strip_prefix("http://registry.test").expect("our address").to_owned();
    let browser = app.browser();
    let form = browser.get(&path).await.expect(200).form(&path).press("decision", "decline");
    let page = browser.submit_and_follow(form).await.expect(200);
    assert_eq!(page.text("h1"), "Declined");
    browser.get(&path).await.expect(404);
}

/// The link of the one letter that invites.
fn link_of(letters: &[Received]) -> String {
    let invitation = letters.iter().find(|letter| letter.body.contains("/invite/")).expect("an invitation");
    invitation.link().to_owned()
}

#[tokio::test]
async fn who_says_yes_knows_it_and_who_asked_is_told_their_name() {
    let smtp = Smtp::start().await;
    let configure = by(&smtp);
    let app = TestApp::with(|config| {
        configure(config);
        config.auth.signup = Some(Signup::Invite);
    })
    .await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    let warden = app.administrator("warden").await;
    app.organization("acme", "alice", &[]).await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    for name in ["alice", "bob", "warden"] {
        letters_to(&app, &smtp, name).await;
    }
    let (invitations, address) = (&app.app.invitations, invitee("bob@example.com"));
    let package = sharing(&app, &alice, "@alice/one").await;
    invitations.invite_to_package(&package, &address).await.expect("an invitation");
    let to_package = link_of(&letters_to(&app, &smtp, "bob").await);
    let organization = joining(&app, &alice, "acme").await;
    let role = OrganizationRole::Member;
    invitations.invite_to_organization(&organization, &address, role, &[]).await.expect("an invitation");
    let to_organization = link_of(&letters_to(&app, &smtp, "bob").await);
    assert!(letters_to(&app, &smtp, "alice").await.is_empty(), "nothing has come of it yet");
    for (link, told, page) in [
        (to_package, "bob accepted your invitation to @alice/one", "/package/@alice/one/access"),
        (to_organization, "bob accepted your invitation to @acme", "/org/acme/members"),
    ] {
        invitations.accept(&own(&app, &bob).await, Door::Code(code_in(&link))).await.expect("a yes");
        let letters = letters_to(&app, &smtp, "alice").await;
        assert_eq!(subjects(&letters), [told]);
        assert!(letters[0].body.contains(&format!("http://registry.test{page}")), "{}", letters[0].body);
        assert!(letters_to(&app, &smtp, "bob").await.is_empty(), "he has just said yes");
    }

    // Whoever invited somebody to an account hears which one they made.
    let permit = permit_instance(&actor(&app, &warden).await, InstanceAction::ChangeAccounts).expect("a permit");
    let email = "new@example.com".parse().expect("an address");
    invitations.invite_to_instance(&permit, &email).await.expect("an invitation");
    let link = link_of(&letters_to(&app, &smtp, "new").await);
    let user = NewUser {
        name: "newcomer".parse().expect("a name"),
        email,
        password: Password::chosen(PASSWORD).expect("a password"),
        administrator: false,
    };
    invitations.sign_up(Some(code_in(&link)), user, &By::default()).await.expect("an account");
    let letters = letters_to(&app, &smtp, "warden").await;
    assert_eq!(subjects(&letters), ["newcomer accepted your invitation"]);
    assert!(letters[0].body.contains("made the account newcomer with your invitation"), "{}", letters[0].body);
}
