//! The registry's own signatures.

use super::Scene;
use crate::families::Deed;
use crate::package::Package;
use crate::telling::Telling;

pub(super) fn tell(scene: &Scene<'_>, telling: &mut Telling) {
    let (client, alice) = (scene.client, &scene.cast.alice);
    let name = alice.package("signed");
    alice.puts(&Package::new(&name, "1.0.0"));
    let project = alice.new_project();
    telling.command("audit signatures", client, &Deed::AuditSignatures, || {
        alice.install_into(&project, &name).succeeds();
        alice.does_in(project.path(), &Deed::AuditSignatures).succeeds().saying("1 package has a verified registry");
    });
}
