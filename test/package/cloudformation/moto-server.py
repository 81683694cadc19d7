"""moto's stand-in for CloudFormation, S3 and what the template makes, on 127.0.0.1 and a free port, which it prints.

It ends when its standard input does, so also when the test that started it dies. Where moto differs from
CloudFormation it is changed here, each with the reason.
"""

import string
import sys
import threading
import types

import moto.cloudformation.models as models
import moto.cloudformation.parsing as parsing
from moto.cloudformation.responses import CloudFormationResponse, EmptyResult
from moto.events.models import EventBus
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

# ValidateTemplate refuses for cfn-lint's warnings; CloudFormation knows none of these.
lint = models.validate_template_cfn_lint
models.validate_template_cfn_lint = lambda template: [
    match for match in lint(template) if match.rule.id.startswith("E")
]


# Fn::Sub replaces no name that begins with a digit.
class Substitution(string.Template):
    idpattern = r"(?a:[_a-z0-9]+)"


parsing.string = types.SimpleNamespace(Template=Substitution)


# A reference to a bus is its name.
EventBus.physical_resource_id = property(lambda bus: bus.name)


# UpdateTerminationProtection is not there.
def update_termination_protection(self):
    stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
    stack.enable_termination_protection = self._get_param("EnableTerminationProtection") in (True, "true")
    return EmptyResult()


CloudFormationResponse.update_termination_protection = update_termination_protection

server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
