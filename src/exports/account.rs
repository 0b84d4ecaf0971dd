//! What a user is besides their packages: a profile, tokens, sessions.

use crate::error::Result;
use crate::policy::{AccountAction, permit_account};
use crate::second_factor::explain_account;

use super::tape::Tape;
use super::task::Task;
use super::{Exports, papers};

impl Exports {
    pub(super) async fn write_account(&self, task: &Task, tape: &mut Tape) -> Result<()> {
        // Whoever asked may be gone by now; then nothing more is handed out.
        let permit = permit_account(&self.living(&task.actor).await?, AccountAction::See)
            .map_err(|refusal| explain_account(&refusal))?;
        let details = self.users.details(task.account).await?;
        let factor = self.second_factor.overview(&permit).await?;
        tape.file("profile.json", papers::profile(permit.account(), &details, &factor)).await?;
        let tokens = self.tokens.list(Some(task.account)).await?;
        tape.file("tokens.json", papers::tokens(&tokens)).await?;
        let sessions = self.tokens.list_sessions(&permit).await?;
        tape.file("sessions.json", papers::sessions(&sessions)).await?;
        let packages = self.access.list_packages(task.account, &task.actor).await?;
        tape.file("packages.json", papers::packages(&packages)).await
    }
}
