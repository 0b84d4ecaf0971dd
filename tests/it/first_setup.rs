//! The first setup of an instance, and what it leaves behind.

use strongroom::audit::By;
use strongroom::config::Signup;
use strongroom::error::Error;
use strongroom::instance::Setup;
use strongroom::users::{NewUser, Password};

use crate::session::log_in;
use crate::support::app::{PASSWORD, TestApp};

fn setup(name: &str, signup: Signup) -> Setup {
    let administrator = NewUser {
        name: name.parse().expect("a name"),
        email: format!("{name}@example.com").parse().expect("an address"),
        password: Password::chosen(PASSWORD).expect("a password"),
        administrator: false,
    };
    Setup { administrator, name: " Acme registry ".into(), signup }
}

#[tokio::test]
async fn whoever_holds_a_code_sets_up_and_that_closes_it_for_good() {
    let app = TestApp::with(|config| config.auth.signup = None).await;
    let instance = &app.app.instance;
    let first = instance.open_setup().await.expect("an answer").expect("a code").expose();
    let second = app.second_node().await.app.instance.open_setup().await.expect("an answer").expect("a code").expose();
    for code in [&first, &second] {
        instance.check_setup(code).await.expect("an open page");
    }
    for code in ["", "x", &"A".repeat(43)] {
        assert!(matches!(instance.check_setup(code).await, Err(Error::NotFound(_))), "{code}");
        assert!(instance.set_up(code, setup("eve", Signup::Open), &By::default()).await.is_err());
    }
    assert_eq!(instance.settings().await.expect("settings").signup, Signup::Closed);
    instance.set_up(&second, setup("ada", Signup::Open), &By::default()).await.expect("a setup");
    let settings = instance.settings().await.expect("settings");
    assert_eq!((settings.name.as_str(), settings.signup), ("Acme registry", Signup::Open));
    for code in [&first, &second] {
        assert!(instance.check_setup(code).await.is_err());
        assert!(instance.set_up(code, setup("eve", Signup::Open), &By::default()).await.is_err());
    }
    assert!(instance.open_setup().await.expect("an answer").is_none());
    let page = app.browser().get("/login").await.expect(200);
    assert_eq!((page.text("title"), page.text("a.brand")), ("Log in · Acme registry".into(), "Acme registry".into()));
    log_in(&app, "ada", PASSWORD, None).await.expect(201);
    log_in(&app, "bob", PASSWORD, Some("bob@example.com")).await.expect(201);
    let pool = app.pool().await;
    let administrators: Vec<String> =
        sqlx::query_scalar("select name from accounts where administrator").fetch_all(&pool).await.expect("names");
    assert_eq!(administrators, ["ada"]);
}

#[tokio::test]
async fn pages_are_called_what_the_instance_is_called() {
    let app = TestApp::with(|config| config.server.name = Some("Ada & <b>Co</b>".into())).await;
    for path in ["/login", "/search?q=x", "/no/such/page"] {
        let page = app.browser().get(path).await;
        assert!(page.text("title").ends_with(" · Ada & <b>Co</b>"), "{}", page.text("title"));
        assert_eq!((page.text("a.brand"), page.texts("header b").len()), ("Ada & <b>Co</b>".into(), 0));
    }
    // Without a word of the configuration it is what setup was told: on every node, and from memory.
    let app = TestApp::new().await;
    let (other, pool) = (app.second_node().await, app.pool().await);
    let brand = async |node: &TestApp| node.browser().get("/login").await.expect(200).text("a.brand");
    assert_eq!((brand(&app).await, brand(&other).await), ("strongroom".into(), "strongroom".into()));
    let code = app.app.instance.open_setup().await.expect("an answer").expect("a code").expose();
    app.app.instance.set_up(&code, setup("ada", Signup::Open), &By::default()).await.expect("a setup");
    assert_eq!(brand(&app).await, "Acme registry");
    let heard = async { while brand(&other).await != "Acme registry" {} };
    tokio::time::timeout(std::time::Duration::from_secs(5), heard).await.expect("heard");
    // What a node has said itself comes back to it, and it looks once more; after that no page asks the database for it.
    let remembered = async {
        loop {
            let before = brand(&app).await;
            sqlx::query("update instance set name = name || '!'").execute(&pool).await.expect("set behind its back");
            if brand(&app).await == before {
                break;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), remembered).await.expect("kept in memory");
}

#[tokio::test]
async fn of_two_who_set_up_at_once_one_does() {
    let app = TestApp::new().await;
    let instance = &app.app.instance;
    let mut codes = Vec::new();
    for _ in 0..2 {
        codes.push(instance.open_setup().await.expect("an answer").expect("a code").expose());
    }
    let by = By::default();
    let (one, two) = tokio::join!(
        instance.set_up(&codes[0], setup("ada", Signup::Closed), &by),
        instance.set_up(&codes[1], setup("eve", Signup::Closed), &by),
    );
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    let pool = app.pool().await;
    let accounts: i64 = sqlx::query_scalar("select count(*) from accounts").fetch_one(&pool).await.expect("a count");
    assert_eq!(accounts, 1);
}

#[tokio::test]
async fn the_configuration_has_the_first_word() {
    let app = TestApp::with(|config| {
        config.auth.signup = Some(Signup::Closed);
        config.server.name = Some("The vault".into());
    })
    .await;
    let instance = &app.app.instance;
    let code = instance.open_setup().await.expect("an answer").expect("a code").expose();
    instance.set_up(&code, setup("ada", Signup::Open), &By::default()).await.expect("a setup");
    let settings = instance.settings().await.expect("settings");
    assert_eq!((settings.name.as_str(), settings.signup), ("The vault", Signup::Closed));
    assert!(settings.name_is_configured && settings.signup_is_configured);
    log_in(&app, "bob", PASSWORD, Some("bob@example.com")).await.expect(403);
}

#[tokio::test]
async fn an_account_made_at_the_command_line_closes_the_page_too() {
    let app = TestApp::new().await;
    let code = app.app.instance.open_setup().await.expect("an answer").expect("a code").expose();
    app.user("ada").await;
    assert!(app.app.instance.check_setup(&code).await.is_err());
    assert!(app.app.instance.set_up(&code, setup("eve", Signup::Open), &By::default()).await.is_err());
}
