//! Trusted publishers: who administers a package says which jobs publish it, and those then need no credential.

use serde_json::{Value, json};

use super::Scene;
use super::account::set_up;
use crate::ci::Environment;
use crate::families::{Deed, Family};
use crate::package::Package;
use crate::person::Person;
use crate::telling::Telling;
use crate::totp;

/// The id of an organization, a project and a pipeline definition at `CircleCI`.
const ID: &str = "9f8e7d6c-5b4a-4321-8765-0123456789ab";

pub(super) fn tell(scene: &Scene<'_>, telling: &mut Telling) {
    let grace = scene.stage.paid("grace");
    let (phone, _) = set_up(&grace, "auth-only");
    let trust = Trust { scene, grace, phone };
    trust.set(telling);
    if trust.has_jobs() {
        trust.publish(telling);
        trust.stay_within_bounds(telling);
    }
    trust.list_and_end(telling);
}

/// Grace, who administers packages that nobody has published yet.
struct Trust<'a> {
    scene: &'a Scene<'a>,
    grace: Person<'a>,
    /// The URL that her authenticator has scanned.
    phone: String,
}

impl<'a> Trust<'a> {
    /// Whether the client exchanges the token of a CI.
    fn has_jobs(&self) -> bool {
        let client = self.scene.client;
        match client.family {
            Family::Npm | Family::Pnpm => client.major > 10,
            Family::Yarn => true,
            _ => false,
        }
    }

    fn code(&self) -> String {
        totp::code(&self.phone)
    }

    fn package(&self, service: &str) -> String {
        self.grace.package(&format!("by-{service}"))
    }

    /// The repository, or project, whose jobs are trusted.
    fn repository(&self) -> String {
        format!("{}/one", self.grace.name)
    }

    /// Someone without a token whose client runs in a job.
    fn job(&self, environment: Environment) -> Person<'a> {
        self.scene.stage.stranger("grace").in_job(environment)
    }

    fn jobs(&self, repository: &str) -> [(&'static str, Environment); 3] {
        let services = &self.scene.stage.server.services;
        [
            ("github", services.github_job(repository)),
            ("gitlab", services.gitlab_job(repository)),
            ("circleci", services.circleci_job(ID, repository)),
        ]
    }

    /// In the client's words where it has some, before there is any package.
    fn set(&self, telling: &mut Telling) {
        let (client, repository) = (self.scene.client, self.repository());
        let (github, gitlab, circleci) = (self.package("github"), self.package("gitlab"), self.package("circleci"));
        let code = self.code();
        let by_github = Deed::TrustGithub { package: &github, repository: &repository, code: &code };
        telling.command("trust github", client, &by_github, || self.is_set_by(&github, &by_github));
        let code = self.code();
        let by_gitlab = Deed::TrustGitlab { package: &gitlab, project: &repository, code: &code };
        telling.command("trust gitlab", client, &by_gitlab, || self.is_set_by(&gitlab, &by_gitlab));
        let code = self.code();
        let by_circleci = Deed::TrustCircleci { package: &circleci, id: ID, repository: &repository, code: &code };
        telling.command("trust circleci", client, &by_circleci, || self.is_set_by(&circleci, &by_circleci));
    }

    fn is_set_by(&self, package: &str, deed: &Deed<'_>) {
        self.grace.does(deed).succeeds();
        assert_eq!(self.trusted(package).len(), 1);
    }

    /// Who is trusted with a package.
    fn trusted(&self, package: &str) -> Vec<Value> {
        let path = format!("/-/package/{package}/trust");
        let listed = self.grace.ask_with_code(&self.code(), "GET", &path, None).expect(200).json();
        listed.as_array().cloned().expect("a list")
    }

    fn publish(&self, telling: &mut Telling) {
        let rows = ["publish in GitHub Actions", "publish in GitLab CI", "publish in CircleCI"];
        let plain = Deed::Publish { access: None, tag: None };
        for (row, (service, environment)) in rows.into_iter().zip(self.jobs(&self.repository())) {
            let name = self.package(service);
            telling.attempt(row, || {
                if self.scene.client.family != Family::Npm {
                    self.trust(service, &name, "createPackage");
                }
                self.job(environment).publish_as(&Package::new(&name, "1.0.0"), &plain).succeeds();
                let publisher = self.grace.sees(&name)["versions"]["1.0.0"]["_npmUser"]["trustedPublisher"].take();
                assert_eq!(publisher["id"], service);
            });
        }
    }

    /// The same rules as in [`Trust::set`], with no client in between.
    fn trust(&self, service: &str, package: &str, permission: &str) {
        let repository = self.repository();
        let claims = match service {
            "github" => json!({ "repository": repository, "workflow_ref": { "file": "release.yml" } }),
            "gitlab" => json!({ "project_path": repository, "ci_config_ref_uri": { "file": ".gitlab-ci.yml" } }),
            _ => json!({
                "oidc.circleci.com/org-id": ID,
                "oidc.circleci.com/vcs-origin": format!("github.com/{repository}"),
            }),
        };
        let wish = json!([{ "type": service, "claims": claims, "permissions": [permission] }]);
        let path = format!("/-/package/{package}/trust");
        self.grace.ask_with_code(&self.code(), "POST", &path, Some(&wish)).expect(201);
    }

    fn stay_within_bounds(&self, telling: &mut Telling) {
        let plain = Deed::Publish { access: None, tag: None };
        telling.attempt("another repository's job publishes nothing", || {
            for (service, environment) in self.jobs("mallory/one") {
                let name = self.package(service);
                self.job(environment).publish_as(&Package::new(&name, "6.6.6"), &plain).fails();
                assert_eq!(self.grace.sees(&name)["versions"]["6.6.6"], Value::Null);
            }
        });
        self.tag(telling);
    }

    /// A job that may only move tags.
    fn tag(&self, telling: &mut Telling) {
        let name = self.grace.package("tagged");
        let client = self.scene.client;
        let lacking = (client.family != Family::Npm || client.major < 12).then_some("it has no exchange for dist-tag");
        if telling.step_unless(lacking, "dist-tag in GitHub Actions") {
            self.grace.puts(&Package::new(&name, "1.0.0"));
            self.trust("github", &name, "manageDistTags");
            let job = || self.job(self.scene.stage.server.services.github_job(&self.repository()));
            let plain = Deed::Publish { access: None, tag: None };
            job().publish_as(&Package::new(&name, "1.1.0"), &plain).fails();
            job().does(&Deed::AddTag { package: &name, version: "1.0.0", tag: "stable" }).succeeds();
            assert_eq!(self.grace.sees(&name)["dist-tags"]["stable"], "1.0.0");
        }
    }

    fn list_and_end(&self, telling: &mut Telling) {
        let client = self.scene.client;
        let package = self.package("github");
        let code = self.code();
        let list = Deed::TrustList { package: &package, code: &code };
        telling.command("trust list", client, &list, || {
            self.grace.does(&list).succeeds().saying(&self.repository());
        });
        let trusted = self.trusted(&package);
        let id = trusted.first().and_then(|one| one["id"].as_str()).unwrap_or_default();
        let code = self.code();
        let revoke = Deed::TrustRevoke { package: &package, id, code: &code };
        telling.command("trust revoke", client, &revoke, || {
            self.grace.does(&revoke).succeeds();
            assert_eq!(self.trusted(&package).len(), 0);
            let job = self.job(self.scene.stage.server.services.github_job(&self.repository()));
            let plain = Deed::Publish { access: None, tag: None };
            job.publish_as(&Package::new(&package, "1.1.0"), &plain).fails();
        });
    }
}
