"""The person cut out of two keyframes and posed: bones, layers, skinning."""
