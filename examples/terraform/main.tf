# The reconnection service as a CloudFormation stack of Terraform's. See docs/adopting.md.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "bucket" {
  description = "The bucket that `aws cloudformation package` has uploaded the code to"
  type        = string
}

variable "packaged_template" {
  description = "What `aws cloudformation package` has written"
  type        = string
  default     = "../../dist-cloudformation/packaged.json"
}

resource "aws_s3_object" "template" {
  bucket      = var.bucket
  key         = "stream-session-reconnection/${filemd5(var.packaged_template)}.json"
  source      = var.packaged_template
  source_hash = filemd5(var.packaged_template)
}

resource "aws_cloudformation_stack" "reconnection" {
  name         = "stream-session-reconnection-prod"
  template_url = "https://${var.bucket}.s3.amazonaws.com/${aws_s3_object.template.key}"
  capabilities = ["CAPABILITY_IAM"]

  lifecycle {
    prevent_destroy = true
  }
}

# The game's backend may request connections, and knows where.
variable "backend_role" {
  description = "The name of the backend's role"
  type        = string
}

resource "aws_iam_role_policy_attachment" "backend" {
  role       = var.backend_role
  policy_arn = aws_cloudformation_stack.reconnection.outputs["BackendPolicyArn"]
}

output "api_url" {
  value = aws_cloudformation_stack.reconnection.outputs["ApiUrl"]
}
