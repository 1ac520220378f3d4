"""What sharing one network between tasks costs or gains each of them."""
