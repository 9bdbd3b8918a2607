"""Written by archcalc."""

from torch import nn


class LeNet5(nn.Sequential):
    """LeNet-5 (1998). Input (N, 1, 32, 32); 61,706 parameters."""

    def __init__(self):
        super().__init__()
        self.C1 = nn.Conv2d(1, 6, 5)
        self.sigmoid1 = nn.Sigmoid()
        self.S2 = nn.AvgPool2d(2)
        self.C3 = nn.Conv2d(6, 16, 5)
        self.sigmoid2 = nn.Sigmoid()
        self.S4 = nn.AvgPool2d(2)
        self.C5_flatten = nn.Flatten()
        self.C5 = nn.Linear(400, 120)
        self.sigmoid3 = nn.Sigmoid()
        self.F6 = nn.Linear(120, 84)
        self.sigmoid4 = nn.Sigmoid()
        self.output = nn.Linear(84, 10)
        self.softmax1 = nn.Softmax(dim=1)
